# syntax=docker/dockerfile:1
# One image for every process: docker-compose.yml says which command it runs.

FROM python:3.13-slim AS build
COPY requirements.txt /tmp/requirements.txt
# Every package is pinned with its hashes. The environment gets no pip of its own: the build's
# pip fills it, and nothing that installs or compiles reaches the final image.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes -r /tmp/requirements.txt

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEALTH_FILE=/tmp/alive
COPY --from=build /opt/venv /opt/venv
# The results' folder belongs to the user, and so does a volume that is first mounted there.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent darkroom \
 && install -d -o darkroom -g darkroom /var/lib/darkroom/results \
 && /usr/local/bin/python -m pip uninstall --yes --quiet --root-user-action=ignore pip
WORKDIR /app
COPY . .
RUN python -m compileall -q .
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether the process lives; /readyz would also fail for a database that is down, and a restart of
# the API does not help that. The other services have health checks of their own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "wsgi:app", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
