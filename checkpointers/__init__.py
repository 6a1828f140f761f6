"""The savers.

They arrive in a later release; `Memory.checkpointer` is LangGraph's `InMemorySaver` until then.
"""
