def pytest_collection_modifyitems(items):
    """Every test has an id of its own: of several with one id, xdist runs one and says nothing."""
    for item in items:
        if label := getattr(item, "operation_label", None):
            item._id = item.id.with_params(label)  # schemathesis leaves the operation out since pytest 9.2
    ids = [item.nodeid for item in items]
    assert len(set(ids)) == len(ids)
