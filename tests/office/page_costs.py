QUERIES_MAX: dict[str, int] = {}
