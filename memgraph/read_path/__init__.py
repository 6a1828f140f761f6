"""The read path over the ledger: search, and what is looked up without one."""
