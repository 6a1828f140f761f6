"""Chat models: any of LangChain's, for extraction and consolidation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgraph.errors import InvalidInput, MissingExtra, ModelUnavailable

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def resolve(model: BaseChatModel | str | None) -> BaseChatModel | None:
    """Turn what the user wrote into a chat model.

    Args:
        model: An object of LangChain's `BaseChatModel`; "provider:model" for LangChain's `init_chat_model`; None.

    Raises:
        InvalidInput: It is none of these.
        MissingExtra: The package of the provider is not installed.
        ModelUnavailable: LangChain could not make the provider's model.
    """
    if model is None:
        return None
    if isinstance(model, str):
        return _from_provider(model)
    from langchain_core.language_models import BaseChatModel

    if not isinstance(model, BaseChatModel):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise InvalidInput(
            f'model must be an object of LangChain\'s BaseChatModel, "provider:model" or None, '
            f"not `{type(model).__name__}`"
        )
    return model


def _from_provider(model: str) -> BaseChatModel:
    provider, colon, name = model.partition(":")
    if not (provider and colon and name):
        raise InvalidInput(f'model `{model}` is not known: write "provider:model"')
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise MissingExtra(f"the model `{model}`", "all") from error
    try:
        return init_chat_model(model)
    except ImportError as error:
        raise MissingExtra(f"the model `{model}`", provider) from error
    except Exception as error:
        # A provider's constructor raises what it likes (a missing key, an unknown model): all of it is the operator's.
        raise ModelUnavailable(f"the model `{model}` could not be made: {type(error).__name__}") from error
