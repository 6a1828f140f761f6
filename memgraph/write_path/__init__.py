"""The write path over the ledger: what is said is accepted, becomes facts, is corrected and erased."""
