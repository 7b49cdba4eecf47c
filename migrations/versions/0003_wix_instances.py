"""wix instances

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-22 21:30:00

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('instances', sa.Column('wix_instance_id', sa.Text(), nullable=True))


def downgrade():
    op.drop_column('instances', 'wix_instance_id')
