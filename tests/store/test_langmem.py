"""langmem's tools, store manager, searcher and background executor work on our store as they are."""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]  # its context is of no type
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel

from memgraph import LedgerStore, Memory, MemoryStore
from memgraph.errors import ReadOnlyNamespace
from support.agents import FACES, call
from support.facts import opened, tell
from support.fakes import HashEmbeddings, ScriptedChatModel
from support.memories import ADA, texts
from support.stores import index

with warnings.catch_warnings():
    # trustcall, which langmem stands on, imports Send from where LangGraph 1 no longer has it.
    warnings.filterwarnings("ignore", "Importing Send from langgraph.constants is deprecated", DeprecationWarning)
    from langmem import (
        ReflectionExecutor,
        create_manage_memory_tool,
        create_memory_searcher,
        create_memory_store_manager,
        create_search_memory_tool,
    )

OWN = ("memories", "{langgraph_user_id}")
ADAS = ("memories", "ada")
REFERENCE = "reference"
"""LangGraph's own store, which shows that the scripts of the models are such as langmem expects."""


@pytest.fixture(params=["alone", "alone, no index", "memory", "memory, no index", REFERENCE])
def store(request: pytest.FixtureRequest) -> Iterator[BaseStore]:
    """A store alone and a memory's own, with an index and without; the reference."""
    match request.param.partition(","):
        case ("alone", _, no_index):
            with LedgerStore.from_conn_string(":memory:", index=None if no_index else index()) as alone:
                yield alone
        case ("memory", _, no_index):
            with Memory.open(":memory:", embedder=None if no_index else HashEmbeddings()) as memory:
                yield memory.store
        case _:
            yield InMemoryStore(index=index())


@pytest.fixture
def ranks(request: pytest.FixtureRequest) -> bool:
    """Whether a query ranks: all but one do, a memory's own without vectors by words."""
    return bool(request.node.callspec.params["store"] != "alone, no index")


def config(user: str = "ada") -> RunnableConfig:
    return {"configurable": {"langgraph_user_id": user}}


def run(runnable: Any, given: Any, face: str, user: str = "ada") -> Any:
    """Invoke something by one of its faces, for a user."""
    if face == "ainvoke":
        return asyncio.run(runnable.ainvoke(given, config(user)))
    return runnable.invoke(given, config(user))


# An agent with the tools


def turn(store: BaseStore, face: str, *calls: AIMessage, user: str = "ada") -> list[str]:
    """Let an agent with langmem's tools call them in turn; returns what they answered."""
    tools = [create_manage_memory_tool(OWN), create_search_memory_tool(OWN)]
    llm = ScriptedChatModel.of(*calls, otherwise="Done.")
    agent: Any = create_agent(llm, tools=tools, store=store)  # pyright: ignore[reportUnknownVariableType]
    messages = run(agent, {"messages": [("user", "Go on.")]}, face, user)["messages"]
    return [message.text for message in messages if isinstance(message, ToolMessage)]


def save(store: BaseStore, face: str, content: Any, user: str = "ada") -> str:
    """Let an agent make a memory; returns its key."""
    [answer] = turn(store, face, call("manage_memory", content=content), user=user)
    made = re.fullmatch(r"created memory ([0-9a-f-]{36})", answer)
    assert made, answer
    return made[1]


def contents(store: BaseStore, namespace: tuple[str, ...] = ADAS) -> dict[str, Any]:
    """Return what the memories of the tools say, by key."""
    return {item.key: item.value["content"] for item in store.search(namespace)}


@pytest.mark.parametrize("face", FACES)
def test_an_agent_creates_updates_and_deletes(store: BaseStore, face: str) -> None:
    tea, dog = save(store, face, "Ada drinks tea."), save(store, face, "Ada has a dog.")
    assert contents(store) == {tea: "Ada drinks tea.", dog: "Ada has a dog."}
    made = store.get(ADAS, tea)
    turned = turn(store, face, call("manage_memory", action="update", id=tea, content="Ada drinks coffee."))
    assert turned == [f"updated memory {tea}"]
    assert contents(store) == {tea: "Ada drinks coffee.", dog: "Ada has a dog."}
    now = store.get(ADAS, tea)
    assert made and now
    assert (made.created_at == now.created_at) is isinstance(store, LedgerStore)  # the reference dates anew
    assert turn(store, face, call("manage_memory", action="delete", id=dog)) == [f"Deleted memory {dog}"]
    assert contents(store) == {tea: "Ada drinks coffee."}
    assert turn(store, face, call("manage_memory", action="delete", id=dog)) == [f"Deleted memory {dog}"]


@pytest.mark.parametrize("face", FACES)
def test_an_agent_searches(store: BaseStore, ranks: bool, face: str) -> None:
    save(store, face, "The garden needs water every morning.")
    cat = save(store, face, "Ada's cat is called Miro.")
    roses = save(store, face, "The roses are red.")
    [answer] = turn(store, face, call("search_memory", query="what is the cat called"))
    found = json.loads(answer)
    assert {item["key"] for item in found} == contents(store).keys()
    scores = [item["score"] for item in found]
    if ranks:
        assert (found[0]["key"], found[0]["value"]) == (cat, {"content": "Ada's cat is called Miro."})
        assert scores == sorted(scores, reverse=True)
    else:
        assert scores == [None] * 3
    assert found[0]["namespace"] == [*ADAS]
    [answer] = turn(store, face, call("search_memory", query="flowers", filter={"content": "The roses are red."}))
    assert [item["key"] for item in json.loads(answer)] == [roses]
    pages = [call("search_memory", query="cat", limit=2, offset=offset) for offset in (0, 2)]
    answers = [json.loads(answer) for answer in turn(store, face, *pages)]
    assert [[item["key"] for item in page] for page in answers] == [
        [item.key for item in store.search(ADAS, query="cat", limit=2)],
        [item.key for item in store.search(ADAS, query="cat", limit=2, offset=2)],
    ]
    assert [len(page) for page in answers] == [2, 1]


@pytest.mark.parametrize("face", FACES)
def test_users_do_not_see_each_others(store: BaseStore, face: str) -> None:
    tea = save(store, face, "Ada drinks tea.")
    milk = save(store, face, "Bob drinks milk.", user="bob")
    assert store.list_namespaces(prefix=("memories",)) == [ADAS, ("memories", "bob")]
    [answer] = turn(store, face, call("search_memory", query="Ada drinks tea."), user="bob")
    assert [item["key"] for item in json.loads(answer)] == [milk]
    turn(store, face, call("manage_memory", action="delete", id=tea), user="bob")
    turn(store, face, call("manage_memory", action="update", id=tea, content="Ada drinks gin."), user="bob")
    assert contents(store) == {tea: "Ada drinks tea."}
    assert contents(store, ("memories", "bob")) == {milk: "Bob drinks milk.", tea: "Ada drinks gin."}
    twin = save(store, face, "Ada the second.", user="ada2")
    assert contents(store) == {tea: "Ada drinks tea."}
    assert contents(store, ("memories", "ada2")) == {twin: "Ada the second."}


class Profile(BaseModel):
    """Who the user is."""

    name: str
    age: int | None = None
    likes: list[str] = []


@pytest.mark.parametrize("face", FACES)
def test_a_memory_may_have_a_schema(store: BaseStore, face: str) -> None:
    tool: Any = create_manage_memory_tool(("memories", "{langgraph_user_id}", "profile"), schema=Profile, store=store)
    answer = run(tool, {"content": {"name": "Ada", "age": 36}}, face)
    [item] = store.search((*ADAS, "profile"))
    assert answer == f"created memory {item.key}"
    assert item.value == {"content": {"name": "Ada", "age": 36, "likes": []}}


# The store manager


def document(messages: list[BaseMessage], words: str) -> str:
    """Return the id that langmem shows its model for the one memory that says `words`."""
    shown = re.findall(r'<instance id=([\w-]+) schema_type="Memory">\n(.*?)\n</instance>', messages[0].text, re.DOTALL)
    [found] = [number for number, text in shown if words in text]
    return str(found)


def inserts(*said: str) -> AIMessage:
    return calls(*[call("Memory", content=text) for text in said])


def calls(*messages: AIMessage) -> AIMessage:
    """Return the calls of several answers as those of one."""
    return AIMessage("", tool_calls=[one for message in messages for one in message.tool_calls])


def replaces(words: str, content: str, *more: AIMessage) -> Any:
    """Return an answer that gives the memory which says `words` other content."""

    def answer(messages: list[BaseMessage]) -> AIMessage:
        patch = {"op": "replace", "path": "/content", "value": content}
        number = document(messages, words)
        return calls(call("PatchDoc", json_doc_id=number, planned_edits="- it is outdated", patches=[patch]), *more)

    return answer


def removes(words: str) -> Any:
    """Return an answer that removes the memory which says `words`."""

    def answer(messages: list[BaseMessage]) -> AIMessage:
        return call("RemoveDoc", json_doc_id=document(messages, words))

    return answer


def reflect(manager: Any, store: BaseStore, face: str, said: str, user: str = "ada") -> None:
    """Let a graph's node hand a conversation to a store manager."""

    def work(state: MessagesState) -> dict[str, Any]:
        manager.invoke({"messages": state["messages"]})
        return {}

    async def awork(state: MessagesState) -> dict[str, Any]:
        await manager.ainvoke({"messages": state["messages"]})
        return {}

    builder: Any = StateGraph(MessagesState)
    graph = builder.add_node("reflect", RunnableLambda(work, awork)).add_edge(START, "reflect").compile(store=store)
    run(graph, {"messages": [("user", said)]}, face, user)


def memories(store: BaseStore, namespace: tuple[str, ...] = ADAS) -> list[str]:
    """Return what the memories of a store manager say, in order of the alphabet."""
    items = store.search(namespace)
    assert {item.value["kind"] for item in items} <= {"Memory"}
    return sorted(item.value["content"]["content"] for item in items)


@pytest.mark.parametrize("face", FACES)
def test_a_manager_inserts_updates_and_deletes(store: BaseStore, face: str) -> None:
    llm = ScriptedChatModel.of(
        inserts("Ada lives in Oslo.", "Ada has a dog."),
        replaces("Oslo", "Ada lives in Lisbon.", call("Memory", content="Ada learns Portuguese.")),
        removes("dog"),
    )
    manager = create_memory_store_manager(llm, namespace=OWN, enable_deletes=True)
    reflect(manager, store, face, "I live in Oslo with my dog.")
    assert memories(store) == ["Ada has a dog.", "Ada lives in Oslo."]
    keys = {item.key for item in store.search(ADAS)}
    reflect(manager, store, face, "I moved to Lisbon, and learn the language.")
    assert memories(store) == ["Ada has a dog.", "Ada learns Portuguese.", "Ada lives in Lisbon."]
    assert keys < {item.key for item in store.search(ADAS)}
    reflect(manager, store, face, "I gave the dog away.")
    assert memories(store) == ["Ada learns Portuguese.", "Ada lives in Lisbon."]
    assert llm.answers == []


@pytest.mark.parametrize("face", FACES)
def test_a_manager_shows_its_model_what_bears_on_the_conversation(store: BaseStore, ranks: bool, face: str) -> None:
    said = [f"Remark number {number} is about {word}." for number, word in enumerate("abcdefghij")]
    manager = create_memory_store_manager(ScriptedChatModel.of(inserts(*said, "The boat is blue.")), namespace=OWN)
    reflect(manager, store, face, "Let me tell you things.")
    llm = ScriptedChatModel.of("Nothing new.")
    reflect(create_memory_store_manager(llm, namespace=OWN, query_limit=4), store, face, "Which colour is the boat?")
    shown = re.findall(r"<instance id=.*?</instance>", llm.calls[0][0].text, re.DOTALL)
    assert len(shown) == 4
    if ranks:
        assert "The boat is blue." in shown[0]
    assert len(store.search(ADAS, limit=20)) == 11


@pytest.mark.parametrize("face", FACES)
def test_a_manager_may_ask_by_a_model_of_its_own(store: BaseStore, face: str) -> None:
    manager = create_memory_store_manager(
        ScriptedChatModel.of(inserts("Ada lives in Oslo.", "Ada has a dog."), replaces("dog", "Ada has two dogs.")),
        query_model=ScriptedChatModel.of(
            call("search_memory", query="where Ada lives"),
            calls(call("search_memory", query="Ada's dog", filter=None), call("search_memory", query="pets", offset=0)),
        ),
        namespace=OWN,
    )
    reflect(manager, store, face, "I live in Oslo with my dog.")
    reflect(manager, store, face, "I got another dog.")
    assert memories(store) == ["Ada has two dogs.", "Ada lives in Oslo."]


@pytest.mark.parametrize("face", FACES)
def test_a_manager_keeps_users_and_namespaces_apart(store: BaseStore, face: str) -> None:
    llm = ScriptedChatModel.of(inserts("Ada sails."), inserts("Bob rows."), inserts("The team meets on Mondays."))
    manager = create_memory_store_manager(llm, namespace=OWN, enable_deletes=True)
    reflect(manager, store, face, "I sail.")
    reflect(manager, store, face, "I row.", user="bob")
    team = create_memory_store_manager(llm, namespace=("team", "notes"))
    reflect(team, store, face, "We meet on Mondays.")
    assert [len(messages) for messages in llm.calls] == [2] * 3
    assert not any("sails" in message.text for messages in llm.calls[1:] for message in messages)
    assert [memories(store, ("memories", user)) for user in ("ada", "bob")] == [["Ada sails."], ["Bob rows."]]
    assert memories(store, ("team", "notes")) == ["The team meets on Mondays."]


@pytest.mark.parametrize("face", FACES)
def test_a_manager_begins_with_a_default(store: BaseStore, face: str) -> None:
    llm = ScriptedChatModel.of("Nothing new.", replaces("Be brief", "Be brief, and rhyme."))
    manager = create_memory_store_manager(llm, namespace=OWN, default="Be brief.", enable_inserts=False)
    reflect(manager, store, face, "Hello.")
    assert memories(store) == ["Be brief."]
    reflect(manager, store, face, "I like rhymes.")
    assert memories(store) == ["Be brief, and rhyme."]
    assert [item.key for item in store.search(ADAS)] == ["default"]


@pytest.mark.parametrize("face", FACES)
def test_a_manager_works_in_phases(store: BaseStore, face: str) -> None:
    llm = ScriptedChatModel.of(inserts("Ada drinks tea.", "Ada likes tea."), removes("drinks tea"))
    manager = create_memory_store_manager(llm, namespace=OWN, phases=[{"enable_deletes": True}])
    reflect(manager, store, face, "Tea, please.")
    assert memories(store) == ["Ada likes tea."]


async def test_a_managers_own_methods(store: BaseStore) -> None:
    manager: Any = create_memory_store_manager(ScriptedChatModel.of(), namespace=OWN, store=store)
    manager.put("a", {"kind": "Memory", "content": {"content": "Ada drinks tea."}}, config=config())
    await manager.aput("b", {"kind": "Memory", "content": {"content": "Ada sails."}}, config=config())
    assert manager.get("a", config=config()).value.content == "Ada drinks tea."
    assert (await manager.aget("b", config=config())).value.content == "Ada sails."
    assert manager.get("a", config=config("bob")) is None
    found = [item.key for item in manager.search(query="drinks tea", config=config())]
    assert found == [item.key for item in await manager.asearch(query="drinks tea", config=config())]
    assert sorted(found) == ["a", "b"]
    kind = {"kind": "Memory"}
    assert [item.key for item in manager.search(filter=kind, limit=1, offset=1, config=config())] in (["a"], ["b"])
    manager.delete("a", config=config())
    await manager.adelete("b", config=config())
    assert manager.search(config=config()) == []


@pytest.mark.parametrize("face", FACES)
def test_a_searcher_asks_several_things_at_once(store: BaseStore, ranks: bool, face: str) -> None:
    for number, said in enumerate(["Ada drinks tea.", "Ada sails.", "The roses are red."]):
        store.put(ADAS, f"k{number}", {"content": said})
    asked = calls(*[call("search_memory", query=query, limit=2) for query in ("which drinks", "which boats sail")])
    searcher: Any = create_memory_searcher(ScriptedChatModel.of(asked), namespace=OWN)
    found: list[list[Any]] = []
    builder: Any = StateGraph(MessagesState)

    def work(state: MessagesState) -> dict[str, Any]:
        found.append(searcher.invoke({"messages": state["messages"]}))
        return {}

    async def awork(state: MessagesState) -> dict[str, Any]:
        found.append(await searcher.ainvoke({"messages": state["messages"]}))
        return {}

    graph = builder.add_node("search", RunnableLambda(work, awork)).add_edge(START, "search").compile(store=store)
    run(graph, {"messages": [("user", "What do I like?")]}, face)
    [items] = found
    expected = {"k0", "k1"} if ranks else {item.key for item in store.search(ADAS, limit=2)}
    assert expected <= {item.key for item in items}


def test_a_manager_runs_in_the_background(store: BaseStore) -> None:
    llm = ScriptedChatModel.of(inserts("Ada sails."), inserts("Bob rows."))
    executor = ReflectionExecutor(create_memory_store_manager(llm, namespace=OWN), store=store)
    said = {"messages": [("user", "What I do: see above.")]}
    waits = [executor.submit(said, config=config(user), thread_id=user) for user in ("ada", "bob")]
    assert [len(wait.result(30)) for wait in waits] == [1, 1]
    executor.shutdown(wait=False)  # its thread looks once a second whether it should end
    assert [memories(store, ("memories", user)) for user in ("ada", "bob")] == [["Ada sails."], ["Bob rows."]]


# Beside our own memory


@pytest.mark.parametrize("face", FACES)
def test_what_langmem_stores_disturbs_no_fact(face: str) -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I'm allergic to hazelnuts.")
        before = memory.list(ADA, kind="fact").items
        said = texts(memory)
        in_rome = save(memory.store, face, "Ada lives in Rome.")
        llm = ScriptedChatModel.of(inserts("Ada may eat hazelnuts."), removes("hazelnuts"))
        manager = create_memory_store_manager(llm, namespace=("notes", "{langgraph_user_id}"), enable_deletes=True)
        reflect(manager, memory.store, face, "I may eat hazelnuts.")
        [note] = memory.store.search(("notes", "ada"))
        memory.settle()
        assert memory.list(ADA, kind="fact").items == before
        assert texts(memory) == said
        hits = [hit.text for query in ("Rome", "hazelnuts") for hit in memory.search(query, ADA)]
        assert not any("Rome" in text or "may eat" in text for text in hits)
        assert {item.key for item in memory.store.search(())} == {in_rome, note.key}
        assert len(memory.store.search(memory.store.facts_namespace(ADA))) == 2
        # Not by the id of a fact either.
        turn(memory.store, face, call("manage_memory", action="delete", id=before[0].id))
        reflect(manager, memory.store, face, "No, I may not.")
        assert memory.list(ADA, kind="fact").items == before
        assert memory.store.search(("notes", "ada")) == []


@pytest.mark.parametrize("face", FACES)
def test_langmems_tools_read_and_forget_facts_where_facts_are_shown(face: str) -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I'm allergic to hazelnuts.")
        facts = memory.store.facts_namespace(ADA)
        assert isinstance(memory.store, MemoryStore)
        look: Any = create_search_memory_tool(facts, store=memory.store)
        change: Any = create_manage_memory_tool(facts, store=memory.store)
        best, *_ = json.loads(run(look, {"query": "what is Ada allergic to"}, face))
        assert best["value"]["object"] == "hazelnuts"
        for tried in ({"content": "Ada flies."}, {"content": "Ada flies.", "id": best["key"], "action": "update"}):
            with pytest.raises(ReadOnlyNamespace):
                run(change, tried, face)
        run(change, {"id": best["key"], "action": "delete"}, face)
        assert [fact.object for fact in memory.list(ADA, kind="fact").items] == ["Oslo"]
