"""Sphinx's settings for the pages to read; `gancourse/authoring/html_pages.py` copies them beside the pages' sources."""

project = html_title = "gancourse"
author = "the authors of gancourse"
project_copyright = "the authors of gancourse; text and figures CC BY 4.0, code MIT"
extensions = ["myst_nb", "gancourse.authoring.sphinx_extension"]
exclude_patterns = ["html", "jupyter_execute", "templates"]
smartquotes = False  # texts as their authors wrote them
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = [
    "mystnb.unknown_mime_type",  # of published numbers, which stand there as text too
    "myst.header",  # of a chapter whose first part has a small heading
]
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["Temml-Local.css", "course.css"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/play.html",  # ours, in the folder of templates
        "sidebar/scroll-end.html",
    ]
}
templates_path = ["templates"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_search_summary = False  # summaries are fetched, which a page that was opened as a file must not
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
