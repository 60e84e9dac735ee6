"""docs/judge.md from its results: the prose is the page's own, what stands between the markers is written here."""


def write_page(results):
    pass
