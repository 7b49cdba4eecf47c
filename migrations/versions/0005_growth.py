"""totals, so that no question about all images or all credits reads all of them

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-23 04:10:00

"""
import time

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

UNSUMMED = 'done + failed + canceled - summed_done - summed_failed - summed_canceled'
WAITS = "status = 'PENDING'"
ENDED = 'finished_at IS NOT NULL'


def _have_the_tables():
    """While the service runs, whatever takes these tables one by one meets its transactions in a
    deadlock. So take all of them or none, for half a second at a time: PostgreSQL looks for deadlocks
    after a whole one."""
    connection = op.get_bind()
    if connection.dialect.name != 'postgresql':
        return
    tables = ('image_optimization_jobs', 'image_optimization_items', 'credit_entries', 'daily_counts')
    for left in reversed(range(60)):
        try:
            with connection.begin_nested():
                connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
                connection.exec_driver_sql(f'LOCK TABLE {", ".join(tables)}')
                connection.exec_driver_sql('SET LOCAL lock_timeout = 0')
                return
        except sa.exc.OperationalError:
            if not left:
                raise
            time.sleep(0.1)


def upgrade():
    _have_the_tables()
    # Empty: what is there already is added up by the sweeps, as is what the release before this one
    # still counts while it runs.
    op.create_table('totals',
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.Column('up_to', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_totals'))
    )
    for column in ('summed_done', 'summed_failed', 'summed_canceled'):
        op.add_column('daily_counts', sa.Column(column, sa.Integer(), server_default=sa.text('0'), nullable=False))
    # Kept in the row where that can be: PostgreSQL has no index on what is not.
    kept = True if op.get_bind().dialect.name == 'postgresql' else None
    op.add_column('daily_counts', sa.Column('unsummed', sa.Integer(), sa.Computed(UNSUMMED, persisted=kept), nullable=False))
    news = sa.text('unsummed != 0')
    op.create_index('ix_daily_counts_unsummed', 'daily_counts', ['instance_id', 'day'], unique=False, postgresql_where=news, sqlite_where=news)
    op.create_index('ix_jobs_instance_finished', 'image_optimization_jobs', ['instance_id', 'finished_at'], unique=False, postgresql_where=sa.text(ENDED), sqlite_where=sa.text(ENDED))
    op.drop_index('ix_credit_entries_kind', 'credit_entries')
    op.create_index('ix_items_waiting', 'image_optimization_items', ['id'], unique=False, postgresql_where=sa.text(WAITS), sqlite_where=sa.text(WAITS))
    op.drop_index('ix_items_status', 'image_optimization_items')
    _know_what_is_uncounted()


def _know_what_is_uncounted():
    """Nearly all that is not counted is not final. Without knowing that, PostgreSQL takes one in ten
    final images for one to be counted, and looks for them in the order of their ids."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('CREATE STATISTICS st_items_uncounted (mcv) ON counted, status FROM image_optimization_items')
        op.execute('ANALYZE image_optimization_items (counted, status)')


def downgrade():
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP STATISTICS st_items_uncounted')
    op.create_index('ix_items_status', 'image_optimization_items', ['status', 'id'], unique=False)
    op.drop_index('ix_items_waiting', 'image_optimization_items')
    op.create_index('ix_credit_entries_kind', 'credit_entries', ['kind', 'amount'], unique=False)
    op.drop_index('ix_jobs_instance_finished', 'image_optimization_jobs')
    op.drop_index('ix_daily_counts_unsummed', 'daily_counts')
    for column in ('unsummed', 'summed_canceled', 'summed_failed', 'summed_done'):
        op.drop_column('daily_counts', column)
    op.drop_table('totals')
