"""What an operator decides: settings from the environment, plans, logging."""
