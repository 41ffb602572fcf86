"""Expected: what should have stood in a field, as pydantic or a check of ours says it."""


def expected(message: str) -> str:
    """The message of a validation error, pydantic's or that of a ValueError, without its opening words."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ")
