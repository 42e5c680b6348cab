"""What a line of the log says of an error. People are named by their ids there, and nothing is quoted."""

from django.db import Error


def describe_error(error: BaseException) -> str:
    """What a line says of an error: its kind; of one of the database's its SQLSTATE and the names in it; why
    there was no connection. Never its message, which may quote a row or what somebody sent.
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    cause = error.__cause__ if isinstance(error, Error) else error
    sqlstate, diagnosis = getattr(cause, "sqlstate", None), getattr(cause, "diag", None)
    if sqlstate:
        names = (
            sqlstate,
            getattr(diagnosis, "table_name", None),
            getattr(diagnosis, "constraint_name", None),
        )
        return " ".join([kind, *filter(None, names)])
    if isinstance(error, Error) and diagnosis is not None:
        return f"{kind}: {str(error).strip()}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind
