"""Indexes that can be rebuilt from the ledger: vectors, postings, adjacency."""
