"""refunds and strays

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 18:20:00

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        'image_optimization_items',
        sa.Column('refunded', sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        'image_optimization_attempts',
        sa.Column('cancel_at', sa.DateTime(timezone=True), nullable=True),
    )
    unwanted = sa.text('cancel_at IS NOT NULL')
    op.create_index(
        'ix_attempts_unwanted', 'image_optimization_attempts', ['cancel_at'], unique=False,
        postgresql_where=unwanted, sqlite_where=unwanted,
    )
    # What was refunded before is known from the ledger. Last, because it takes long: whoever reads
    # attempts and then items meanwhile would deadlock with a lock that is only asked for after it.
    op.execute(
        "UPDATE image_optimization_items SET refunded = true WHERE EXISTS"
        " (SELECT 1 FROM credit_entries"
        " WHERE reference = 'refund:item:' || image_optimization_items.id)"
    )


def downgrade():
    op.drop_index('ix_attempts_unwanted', table_name='image_optimization_attempts')
    op.drop_column('image_optimization_attempts', 'cancel_at')
    op.drop_column('image_optimization_items', 'refunded')
