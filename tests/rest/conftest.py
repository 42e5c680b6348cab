import pytest

from rest.errors import InvalidRequest
from rest.serializers import StrictSerializer


def pytest_collection_modifyitems(items):
    """Every test has an id of its own: of several with one id, xdist runs one and says nothing."""
    for item in items:
        if label := getattr(item, "operation_label", None):
            item._id = item.id.with_params(label)  # schemathesis leaves the operation out since pytest 9.2
    ids = [item.nodeid for item in items]
    assert len(set(ids)) == len(ids)


@pytest.fixture(autouse=True)
def _both_readers(monkeypatch):
    """Whatever a body is read as in these tests, fast, DRF's own way of reading says the same of it."""
    differences = []
    read_fast = StrictSerializer._read.__func__

    def read(serializer, sent, point):
        try:
            values = outcome = read_fast(serializer, sent, point)
        except InvalidRequest as error:
            values, outcome = error, {(each.pointer, each.code, each.detail) for each in error.errors}
        if point("").endswith("/"):  # of a body, not of a query
            by_drf = read_as_drf(serializer(data=sent), point)
            if by_drf != outcome:
                differences.append((sent, outcome, by_drf))
        if isinstance(values, InvalidRequest):
            raise values
        return values

    monkeypatch.setattr(StrictSerializer, "_read", classmethod(read))
    yield
    assert differences == []


def read_as_drf(serializer, point):
    if serializer.is_valid():
        return dict(serializer.validated_data)
    return {
        (point(name) + getattr(each.code, "pointer", ""), each.code, each)
        for name, details in serializer.errors.items()
        for each in details
    }
