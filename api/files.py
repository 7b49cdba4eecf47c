"""Answers that are files, as `flask.send_file` makes them."""

from flask import Response, request

from api.etags import refuse_unmatched


def as_asked(file: Response) -> Response:
    """Return the answer, its file closed where nobody will read it: so nobody would close it.

    Raises `PreconditionFailed` where the file is not the one of `If-Match`.
    """
    answer = refuse_unmatched(file)
    if request.method == "HEAD" or answer.status_code == 304:
        answer.close()
    return answer
