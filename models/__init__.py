"""What is true and what may become true: tables, the ledger, and every change of status."""
