"""The two channels that memory adds to a graph's state, and how an agent uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, cast

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, convert_to_messages
from langgraph.graph.message import add_messages

# LangGraph's own MessagesState is one of these before Python 3.12: a state may inherit from both.
from typing_extensions import TypedDict  # noqa: UP035  # see above

from memgraph.errors import NoRecall
from memgraph.messages import BLOCK_MARK, said_by_user

if TYPE_CHECKING:
    from collections.abc import Sequence


class Recalled(TypedDict):
    """What `retrieve` leaves in the state: small and plain, so that every checkpoint stays small.

    Attributes:
        text: The block for the model, chronological, "" if nothing was found.
        ids: Ids of what the block shows, best first.
        degraded: By arm: why it could not take part; empty when all did.
        trace_id: Key of the search's trace, `memory.trace(trace_id, scope)`.
    """

    text: str
    ids: list[str]
    degraded: dict[str, str]
    trace_id: str


def merge_marks(old: dict[str, int] | None, new: dict[str, int] | None) -> dict[str, int]:
    """Join two marks: per owner the larger commit number. LangGraph forks, copies and replays it with the state."""
    merged = dict(old or {})
    for owner, seq in (new or {}).items():
        merged[owner] = max(seq, merged.get(owner, 0))
    return merged


class MemoryState(TypedDict):
    """Messages, what was recalled for them, and the mark.

    A graph's state need not declare any of it: the nodes bring their channels. A node of your own that wants the recall
    annotates its state with this class, since LangGraph hands a node only the keys that it declares.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    recalled: NotRequired[Recalled]
    memory_seq: NotRequired[Annotated[dict[str, int], merge_marks]]


class NodeState(TypedDict):
    """What the nodes themselves declare: `messages` without a reducer, so that the graph's own one stays in force."""

    messages: list[AnyMessage]
    recalled: NotRequired[Recalled]
    memory_seq: NotRequired[Annotated[dict[str, int], merge_marks]]


def state_value(state: object, key: str) -> Any:
    """Return a state's value whether the state is a mapping or an object, None where absent."""
    if isinstance(state, Mapping):
        return cast(Mapping[str, Any], state).get(key)
    return getattr(state, key, None)


def with_memory(state: Mapping[str, Any] | object) -> list[BaseMessage]:
    """Return the state's messages with what was recalled, as one marked message before the last user message.

    Memory is evidence, not instruction, so it never goes into the system prompt; that also keeps the provider's prefix
    cache warm. The marked message is not to be stored: `remember` passes it over all the same.

    Args:
        state: A state with `messages` and `recalled`.

    Raises:
        NoRecall: `recalled` is absent.
    """
    recalled = cast("Recalled | None", state_value(state, "recalled"))
    if recalled is None:
        raise NoRecall(
            "the state has no `recalled`: put retrieve() before this node and annotate its state with MemoryState "
            "(LangGraph hands a node only the keys that it declares)"
        )
    # A state without a reducer holds messages as they were handed in.
    messages = convert_to_messages(cast("Sequence[BaseMessage]", state_value(state, "messages") or []))
    if not recalled["text"]:
        return messages
    block = HumanMessage(recalled["text"], additional_kwargs={BLOCK_MARK: "recalled"})
    place = _before(messages)
    return [*messages[:place], block, *messages[place:]]


def _before(messages: Sequence[BaseMessage]) -> int:
    """Return where the block goes: before the last user message, or before the summary that has taken its place."""
    human = [place for place, message in enumerate(messages) if message.type == "human"]
    said = [place for place in human if said_by_user(messages[place])]
    return (said or human or [len(messages)])[-1]
