"""cancel, retry, batches, uploads, options, reuse, outgoing webhooks, analytics, operators' wishes

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23 00:20:00

"""
import os
import time

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def _add_reference(table, column, other):
    """SQLite can add a reference only together with its column, PostgreSQL names it like the rest."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    name = f'fk_{table}_{column}'
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(
            f'ALTER TABLE {table} ADD COLUMN {column} INTEGER'
            f' CONSTRAINT {name} REFERENCES {other} (id)'
        )
    else:
        op.add_column(table, sa.Column(column, id_type, nullable=True))
        op.create_foreign_key(name, table, other, [column], ['id'])


def _give_no_id_twice(table):
    """SQLite gives the highest id out again once its row is deleted, unless its table says
    AUTOINCREMENT, which only a new table can. `migrations/env.py` has turned foreign keys off."""
    connection = op.get_bind()
    if connection.dialect.name != 'sqlite':
        return
    made = sa.text('SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL')
    rows = connection.execute(made, {'table': table}).all()
    (whole,) = [sql for kind, sql in rows if kind == 'table']
    if 'AUTOINCREMENT' in whole:
        return
    head, columns = whole.split('(', 1)
    columns = columns.replace('PRIMARY KEY (id)', 'PRIMARY KEY (id AUTOINCREMENT)', 1)
    connection.exec_driver_sql(f'CREATE TABLE growing ({columns}')
    connection.exec_driver_sql(f'INSERT INTO growing SELECT * FROM {table}')
    op.drop_table(table)
    op.rename_table('growing', table)
    for kind, sql in rows:
        if kind == 'index':
            connection.exec_driver_sql(sql)


def _have_the_tables():
    """While the service runs, whatever takes these tables one by one meets its transactions in a
    deadlock. So take all of them or none, for half a second at a time: PostgreSQL looks for deadlocks
    after a whole one."""
    connection = op.get_bind()
    if connection.dialect.name != 'postgresql':
        return
    tables = ('instances', *(f'image_optimization_{rows}' for rows in ('jobs', 'attempts', 'items')))
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
    op.create_table('audit_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=255), nullable=False),
    sa.Column('action', sa.String(length=50), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    op.create_table('controls',
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_controls'))
    )
    op.create_table('daily_counts',
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('done', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failed', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('canceled', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('reused', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('credits', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_daily_counts_instance_id')),
    sa.PrimaryKeyConstraint('instance_id', 'day', name=op.f('pk_daily_counts'))
    )
    op.create_table('daily_durations',
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('bucket', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('images', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_daily_durations_instance_id')),
    sa.PrimaryKeyConstraint('instance_id', 'day', 'bucket', name=op.f('pk_daily_durations'))
    )
    op.create_table('daily_errors',
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('error_code', sa.String(length=50), nullable=False),
    sa.Column('images', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_daily_errors_instance_id')),
    sa.PrimaryKeyConstraint('instance_id', 'day', 'error_code', name=op.f('pk_daily_errors'))
    )
    op.create_table('image_optimization_batches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('total_jobs', sa.Integer(), nullable=False),
    sa.Column('total_images', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_image_optimization_batches_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_image_optimization_batches')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_batches_instance', 'image_optimization_batches', ['instance_id', 'id'], unique=False)
    op.create_table('monthly_prompts',
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('prompt_hash', sa.String(length=64), nullable=False),
    sa.Column('prompt', sa.Text(), nullable=False),
    sa.Column('images', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_monthly_prompts_instance_id')),
    sa.PrimaryKeyConstraint('instance_id', 'month', 'prompt_hash', name=op.f('pk_monthly_prompts'))
    )
    op.create_index('ix_monthly_prompts_top', 'monthly_prompts', ['instance_id', 'month', 'images'], unique=False)
    op.create_table('prompt_presets',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('prompt', sa.Text(), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_prompt_presets_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prompt_presets')),
    sa.UniqueConstraint('instance_id', 'name', name='uq_presets_name')
    )
    op.create_table('uploads',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('file_name', sa.String(length=255), nullable=True),
    sa.Column('content_type', sa.String(length=50), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('provider_url', sa.String(length=2048), nullable=True),
    sa.Column('provider_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_uploads_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_uploads')),
    sa.UniqueConstraint('key', name=op.f('uq_uploads_key'))
    )
    op.create_index('ix_uploads_expiring', 'uploads', ['expires_at'], unique=False, postgresql_where=sa.text('expires_at IS NOT NULL'), sqlite_where=sa.text('expires_at IS NOT NULL'))
    op.create_index('ix_uploads_instance', 'uploads', ['instance_id', 'id'], unique=False)
    op.create_index('ix_uploads_used', 'uploads', ['last_used_at'], unique=False, postgresql_where=sa.text('last_used_at IS NOT NULL'), sqlite_where=sa.text('last_used_at IS NOT NULL'))
    op.create_table('unwanted_files',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_unwanted_files'))
    )
    op.create_table('webhook_endpoints',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('url', sa.String(length=2048), nullable=False),
    sa.Column('events', sa.JSON(), nullable=False),
    sa.Column('secret', sa.String(length=100), nullable=False),
    sa.Column('previous_secret', sa.String(length=100), nullable=True),
    sa.Column('previous_secret_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_webhook_endpoints_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_endpoints'))
    )
    op.create_index('ix_webhook_endpoints_instance', 'webhook_endpoints', ['instance_id', 'id'], unique=False)
    op.create_table('webhook_deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('endpoint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('instance_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message_id', sa.String(length=64), nullable=False),
    sa.Column('event', sa.String(length=50), nullable=False),
    sa.Column('job_id', sa.BigInteger(), nullable=True),
    sa.Column('item_id', sa.BigInteger(), nullable=True),
    sa.Column('status', sa.Enum('PENDING', 'DELIVERED', 'FAILED', name='delivery_status', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('response_status', sa.Integer(), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['webhook_endpoints.id'], name=op.f('fk_webhook_deliveries_endpoint_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name=op.f('fk_webhook_deliveries_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_deliveries')),
    sa.UniqueConstraint('message_id', name=op.f('uq_webhook_deliveries_message_id'))
    )
    op.create_index('ix_webhook_deliveries_due', 'webhook_deliveries', ['next_attempt_at'], unique=False, postgresql_where=sa.text("status = 'PENDING'"), sqlite_where=sa.text("status = 'PENDING'"))
    op.create_index('ix_webhook_deliveries_endpoint', 'webhook_deliveries', ['endpoint_id', 'status', 'id'], unique=False)
    op.create_index('ix_webhook_deliveries_instance', 'webhook_deliveries', ['instance_id', 'status', 'id'], unique=False)
    op.create_index('ix_webhook_deliveries_job', 'webhook_deliveries', ['job_id'], unique=False)
    op.add_column('image_optimization_attempts', sa.Column('sent_urls', sa.JSON(none_as_null=True), nullable=True))
    # Until now the setting named the model of every image, and of what the old release still writes
    # while it runs. As a default it is there at once, however many images there are.
    model = os.environ.get('REPLICATE_MODEL') or 'google/nano-banana'
    op.add_column('image_optimization_items', sa.Column('model', sa.String(length=120), server_default=model, nullable=False))
    op.add_column('image_optimization_items', sa.Column('resolution', sa.String(length=10), nullable=True))
    op.add_column('image_optimization_items', sa.Column('quality', sa.Integer(), nullable=True))
    op.add_column('image_optimization_items', sa.Column('reference_urls', sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column('image_optimization_items', sa.Column('cancel_requested_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('image_optimization_items', sa.Column('reuse_hash', sa.String(length=64), nullable=True))
    _add_reference('image_optimization_items', 'reused_from', 'image_optimization_items')
    op.add_column('image_optimization_items', sa.Column('stored_key', sa.String(length=64), nullable=True))
    op.add_column('image_optimization_items', sa.Column('counted', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('ix_items_copies', 'image_optimization_items', ['stored_key'], unique=False, postgresql_where=sa.text('stored_key IS NOT NULL'), sqlite_where=sa.text('stored_key IS NOT NULL'))
    op.create_index('ix_items_reused_from', 'image_optimization_items', ['reused_from'], unique=False, postgresql_where=sa.text('reused_from IS NOT NULL'), sqlite_where=sa.text('reused_from IS NOT NULL'))
    op.create_index('ix_items_reusable', 'image_optimization_items', ['instance_id', 'reuse_hash', 'id'], unique=False, postgresql_where=sa.text("status = 'DONE' AND reuse_hash IS NOT NULL AND stored_key IS NULL"), sqlite_where=sa.text("status = 'DONE' AND reuse_hash IS NOT NULL AND stored_key IS NULL"))
    op.create_index('ix_items_running', 'image_optimization_items', ['instance_id'], unique=False, postgresql_where=sa.text("status = 'RUNNING'"), sqlite_where=sa.text("status = 'RUNNING'"))
    op.create_index('ix_items_uncounted', 'image_optimization_items', ['instance_id', 'id'], unique=False, postgresql_where=sa.text("NOT counted AND status IN ('DONE', 'FAILED', 'CANCELED')"), sqlite_where=sa.text("NOT counted AND status IN ('DONE', 'FAILED', 'CANCELED')"))
    _add_reference('image_optimization_jobs', 'batch_id', 'image_optimization_batches')
    _add_reference('image_optimization_jobs', 'retry_of', 'image_optimization_jobs')
    op.create_index('ix_jobs_batch', 'image_optimization_jobs', ['batch_id', 'id'], unique=False, postgresql_where=sa.text('batch_id IS NOT NULL'), sqlite_where=sa.text('batch_id IS NOT NULL'))
    op.create_index('uq_jobs_retry_of', 'image_optimization_jobs', ['retry_of'], unique=True)
    op.create_index('ix_jobs_finished', 'image_optimization_jobs', ['finished_at'], unique=False, postgresql_where=sa.text('finished_at IS NOT NULL'), sqlite_where=sa.text('finished_at IS NOT NULL'))
    op.add_column('instances', sa.Column('turns_left', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.add_column('instances', sa.Column('max_running', sa.Integer(), nullable=True))
    op.add_column('instances', sa.Column('max_waiting', sa.Integer(), nullable=True))
    op.add_column('instances', sa.Column('held_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('instances', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_index('ix_instances_turn', 'instances')
    op.create_index('ix_instances_turn', 'instances', ['last_served', 'id'], unique=False, postgresql_where=sa.text('due_items > 0 AND held_at IS NULL'), sqlite_where=sa.text('due_items > 0 AND held_at IS NULL'))
    op.create_index('ix_instances_held', 'instances', ['id'], unique=False, postgresql_where=sa.text('held_at IS NOT NULL'), sqlite_where=sa.text('held_at IS NOT NULL'))
    op.add_column('instances', sa.Column('deleted_charges', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('instances', sa.Column('deleted_refunds', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    for table in ('image_optimization_jobs', 'image_optimization_items', 'image_optimization_attempts'):
        _give_no_id_twice(table)


def downgrade():
    op.drop_column('instances', 'deleted_refunds')
    op.drop_column('instances', 'deleted_charges')
    op.drop_index('ix_instances_held', 'instances')
    op.drop_index('ix_instances_turn', 'instances')
    op.create_index('ix_instances_turn', 'instances', ['last_served', 'id'], unique=False, postgresql_where=sa.text('due_items > 0'), sqlite_where=sa.text('due_items > 0'))
    op.drop_column('instances', 'held_at')
    op.drop_column('instances', 'max_running')
    op.drop_column('instances', 'max_waiting')
    op.drop_column('instances', 'turns_left')
    op.drop_column('instances', 'erased_at')
    op.drop_index('ix_jobs_finished', 'image_optimization_jobs')
    op.drop_index('uq_jobs_retry_of', 'image_optimization_jobs')
    op.drop_index('ix_jobs_batch', 'image_optimization_jobs')
    op.drop_column('image_optimization_jobs', 'retry_of')
    op.drop_column('image_optimization_jobs', 'batch_id')
    op.drop_index('ix_items_uncounted', 'image_optimization_items')
    op.drop_index('ix_items_running', 'image_optimization_items')
    op.drop_index('ix_items_reused_from', 'image_optimization_items')
    op.drop_index('ix_items_reusable', 'image_optimization_items')
    op.drop_index('ix_items_copies', 'image_optimization_items')
    op.drop_column('image_optimization_items', 'counted')
    op.drop_column('image_optimization_items', 'stored_key')
    op.drop_column('image_optimization_items', 'reused_from')
    op.drop_column('image_optimization_items', 'reuse_hash')
    op.drop_column('image_optimization_items', 'cancel_requested_at')
    op.drop_column('image_optimization_items', 'reference_urls')
    op.drop_column('image_optimization_items', 'quality')
    op.drop_column('image_optimization_items', 'resolution')
    op.drop_column('image_optimization_items', 'model')
    op.drop_column('image_optimization_attempts', 'sent_urls')
    op.drop_table('webhook_deliveries')
    op.drop_table('webhook_endpoints')
    op.drop_table('unwanted_files')
    op.drop_table('uploads')
    op.drop_table('prompt_presets')
    op.drop_table('monthly_prompts')
    op.drop_table('daily_errors')
    op.drop_table('daily_durations')
    op.drop_table('daily_counts')
    op.drop_table('image_optimization_batches')
    op.drop_table('controls')
    op.drop_table('audit_entries')
