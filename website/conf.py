"""Settings of Sphinx; `website/__main__.py` lays the pages out and calls it, once for each language."""

from typing import Any

project = "Ledger"
extensions = ["myst_parser"]
myst_heading_anchors = 4  # links name headings as GitHub does
html_theme = "sphinx_book_theme"
html_title = "Ledger"
html_show_copyright = html_show_sphinx = html_copy_source = False
html_theme_options: dict[str, Any] = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search is in the sidebar
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}
