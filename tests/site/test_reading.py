"""The pages to read: made by Sphinx from the built notebooks, whole, offline and accessible."""

import json
import re
import urllib.parse

import pytest

for package in ("sphinx", "myst_nb", "furo"):
    pytest.importorskip(package, reason=f'{package} is not installed: pip install "gancourse[site]"')

import bs4  # noqa: E402
import nbformat  # noqa: E402
from nbformat import v4  # noqa: E402

from gancourse import exercises, places  # noqa: E402
from gancourse.authoring import (  # noqa: E402
    build,
    exercise_pages,
    formulas,
    html_pages,
    notebook_pages,
    packages,
    play_links,
    reading,
    sources,
)
from gancourse.authoring import site as build_site  # noqa: E402

CHAPTERS = sources.find(["04", "12"])  # short ones, and all kinds of questions
LOADING = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src", "video": "src"}


pytestmark = pytest.mark.usefixtures("node_modules")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the pages of two chapters and all others."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "source").mkdir()
    reading.write(folder / "source", CHAPTERS)
    html_pages.render(folder / "source", folder / "made")
    for page in play_links.pages():  # others make these
        (folder / "made" / "play").mkdir(exist_ok=True)
        (folder / "made" / "play" / page.file).touch()
    return folder / "made"


@pytest.fixture(scope="module")
def pages(site):
    """Each page by its name, parsed."""
    return {
        path.relative_to(site).as_posix(): bs4.BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
        if path.parent.name != "play"
    }


@pytest.fixture(scope="module")
def chapter(pages):
    return pages["chapters/04_dcgan.html"]


@pytest.fixture(scope="module")
def sourced():
    """The text of every chapter, by number."""
    return {
        one.number: re.sub(r"^# ?", "", one.source.read_text("utf-8"), flags=re.M) for one in sources.chapters()
    }


@pytest.fixture(scope="module")
def taught(sourced):
    """The same in small letters and in one line."""
    return {number: " ".join(text.split()).lower() for number, text in sourced.items()}


def file_of(site, page, address):
    """The file that an address within a page means."""
    path = urllib.parse.unquote(address.partition("#")[0].partition("?")[0])
    return ((site / page).parent / path).resolve() if path else (site / page).resolve()


def test_all_pages_are_there(pages):
    assert {f"chapters/{chapter.notebook.stem}.html" for chapter in CHAPTERS} <= set(pages)
    assert {"index.html", "results.html", "glossary.html", "further.html", "search.html"} <= set(pages)


def test_nothing_is_loaded_from_another_host(pages):
    """Links may lead there; what a page loads by itself may not."""
    loaded = [
        (name, element[attribute])
        for name, page in pages.items()
        for tag, attribute in LOADING.items()
        for element in page.find_all(tag)
        if element.get(attribute) and element.get("rel") not in (["canonical"],)
    ]
    assert len(loaded) > 50
    assert [pair for pair in loaded if re.match(r"(\w+:)?//", pair[1])] == []


def test_no_style_or_script_asks_another_host(site):
    """Nor does the code that a page runs when it is opened fetch what a browser refuses to a file."""
    for path in (*site.rglob("*.css"), *site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"url\(\s*['\"]?(?:\w+:)?//[^)]*|@import[^;]*//[^;]*", text) == [], path.name
    options = (site / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    assert re.search(r"SHOW_SEARCH_SUMMARY: false", options)
    asking = re.compile(r"\bfetch\(|XMLHttpRequest|sendBeacon")
    calls = [path.name for path in site.rglob("*.js") if asking.search(path.read_text(encoding="utf-8"))]
    assert calls == ["searchtools.js"]  # for summaries alone, which are off


def test_every_address_within_the_site_leads_somewhere(site, pages):
    broken = []
    for name, page in pages.items():
        for element in page.find_all(["a", "img", "script", "link"]):
            address = element.get("href") or element.get("src") or ""
            if address and not re.match(r"\w+:", address) and not file_of(site, name, address).exists():
                broken.append((name, address))
    assert broken == []


def test_anchors_within_the_site_exist(site, pages):
    ids = {(site / name).resolve(): {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    links = [(name, link["href"]) for name, page in pages.items() for link in page.select("article a[href*='#']")]
    inside = [(name, href) for name, href in links if not re.match(r"\w+:", href) and not href.endswith("#")]
    assert inside
    assert [pair for pair in inside if pair[1].partition("#")[2] not in ids[file_of(site, *pair)]] == []


def test_every_figure_has_its_alternative_text(pages):
    """That of the notebook, not the name of a file."""
    for one in CHAPTERS:
        texts = set(notebook_pages.alternatives(build.read(one.notebook)).values())
        shown = {image["alt"] for image in pages[f"chapters/{one.notebook.stem}.html"].select("article img")}
        assert shown == {" ".join(text.split()) for text in texts} or shown == texts
    for name, page in pages.items():
        assert [image for image in page.find_all("img") if not image.get("alt", "").strip()] == [], name


def test_figures_keep_their_place_while_they_load(chapter):
    for image in chapter.select("article img"):
        assert image["loading"] == "lazy" and int(image["width"]) > 0 and int(image["height"]) > 0


def test_a_page_is_light(site, pages):
    """With all its figures; the largest has 3 MB."""
    for name, page in pages.items():
        files = {file_of(site, name, image["src"]) for image in page.find_all("img")}
        assert sum(path.stat().st_size for path in (site / name, *files)) < 3.5e6, name


# Formulas


def test_formulas_are_mathml_that_the_browser_draws(chapter):
    assert len(chapter.find_all("math")) > 30
    assert chapter.select(".formula[tabindex='0'] math[display='block']")
    assert "\\frac" not in chapter.get_text()
    assert [script for script in chapter.find_all("script", src=True) if "math" in script["src"].lower()] == []


def test_every_formula_of_the_course_is_understood(sourced):
    found = [formula for text in sourced.values() for formula in re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)]
    assert len(found) > 100
    assert all(formulas.mathml(formula.strip(), alone=True).startswith("<math") for formula in found)


def test_a_formula_that_is_wrong_is_named():
    with pytest.raises(ValueError, match=r"frac.* cannot be drawn"):
        formulas.mathml(r"\frac{1}{")
    assert "<mn>2</mn>" in formulas.mathml("2")


# Exercises


def test_exercises_have_hints_and_solution_behind_a_click(pages):
    for one in CHAPTERS:
        page = pages[f"chapters/{one.notebook.stem}.html"]
        questions = list(exercises.load(one.number))
        solutions = page.select("details.solution")
        assert len(solutions) == len(questions) > 0
        assert page.find_all("details", open=True) == []
        assert all(details.find("summary") for details in page.find_all("details"))
        for question, solution in zip(questions, solutions):
            told = str(question.solution())
            words = solution.get_text()
            assert all(line.strip() in words for line in told.splitlines() if line.strip()), question.name


def test_the_second_hint_opens_within_the_first(chapter):
    first = chapter.select_one("details.hint")
    assert [summary.get_text() for summary in first.find_all("summary")] == ["Hint 1", "Hint 2"]
    assert first.select("details.hint") and not first.select("details.solution")


def test_readers_are_told_how_exercises_work_here(chapter):
    assert notebook_pages.READERS in " ".join(chapter.get_text().split())


def test_a_question_without_an_answer_has_no_verdict_on_the_page(chapter):
    assert "not attempted" not in chapter.get_text()
    assert "convolution_size" in chapter.get_text()


class Asked:
    """What a page needs of a question; its texts would be markup if they were not escaped."""

    hint_texts = ("a <b> & $x$", "two\nlines *")
    after = ""

    def solution(self):
        return "x = 1\nfor a < b"


def test_texts_of_exercises_are_no_markup():
    made = exercise_pages.folded(Asked())
    assert "<p>a &lt;b&gt; &amp; $x$</p>" in made and "<p>two</p>\n<p>lines *</p>" in made
    assert "<p>x = 1</p>\n<p>for a &lt; b</p>" in made
    assert made.index("Hint 1") < made.index("Hint 2") < made.index("Solution")


# Notebooks as pages


def test_what_is_for_machines_alone_is_not_shown(chapter):
    assert "google.colab" not in chapter.get_text()
    (colab,) = [link for link in chapter.find_all("a") if link.get_text() == "Open in Colab"]
    assert colab["href"].startswith("https://colab.research.google.com/")


def test_a_chapter_that_is_no_page_is_linked_in_the_repository():
    notebook = v4.new_notebook(
        cells=[v4.new_markdown_cell("[3](03_first_gan.ipynb), [12](12_what_came_next.ipynb)")]
    )
    made = notebook_pages.page(notebook, CHAPTERS[0], {"12_what_came_next.ipynb"})
    assert made.cells[0].source.splitlines()[0] == (
        f"[3]({build.address()}/blob/main/notebooks/03_first_gan.ipynb), [12](12_what_came_next.ipynb)"
    )


def test_nothing_is_executed(site, tmp_path):
    """A page is what its notebook holds."""
    (tmp_path / "source").mkdir()
    cell = v4.new_code_cell("print(6 * 7)\nopen('executed', 'w')")
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# 1. Title"), cell])
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(notebook, tmp_path / "source" / "index.ipynb")
    html_pages.render(tmp_path / "source", tmp_path / "made")
    assert (
        "42"
        not in bs4.BeautifulSoup(
            (tmp_path / "made" / "index.html").read_text("utf-8"), "html.parser"
        ).article.text
    )
    assert list(tmp_path.rglob("executed")) == []


def test_the_old_site_stays_where_a_new_one_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(
        build_site.reading, "write", lambda folder, chosen: (folder / "index.md").write_text("[x](y.md)")
    )
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").touch()
    with pytest.raises(RuntimeError, match="Sphinx warns"):
        build_site.build([], tmp_path / "site")
    assert (tmp_path / "site" / "index.html").exists()


def test_what_sphinx_warns_of_ends_the_build(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index.md").write_text("# T\n\n[nowhere](nothing.md)\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"nothing\.md"):
        html_pages.render(tmp_path / "source", tmp_path / "made")
    assert not (tmp_path / "made").exists()


# Links to what there is to play


def test_chapters_link_the_pages_to_play_that_link_them(tmp_path):
    page = '<title>The game: live</title><a href="../chapters/04_dcgan.html">4</a><a href="../chapters/04_dcgan.html#x">'
    for name in ("index.html", "game.html"):
        (tmp_path / name).write_text(page, encoding="utf-8")
    assert play_links.pages(tmp_path) == [("game.html", "The game", "live", ("04_dcgan",))]
    assert play_links.of_chapter("04_dcgan", tmp_path).endswith(
        '<a href="../play/game.html">The game</a>, live</p>'
    )
    assert play_links.of_chapter("03_first_gan", tmp_path) == ""
    assert '<li><a href="play/game.html">The game</a>: live</li>' in play_links.table(tmp_path)
    assert play_links.pages(tmp_path / "missing") == [] and play_links.table(tmp_path / "missing") == ""


def test_a_page_to_play_without_a_chapter_is_named(tmp_path):
    (tmp_path / "lost.html").write_text("<title>Lost</title>", encoding="utf-8")
    with pytest.raises(ValueError, match=r"lost\.html needs a title, and a link"):
        play_links.pages(tmp_path)


# Index, results, glossary, further reading, search


def test_the_first_page_shows_every_chapter_with_a_picture(pages):
    cards = pages["index.html"].select("ul.chapters li")
    assert [card.a["href"] for card in cards] == [f"chapters/{one.notebook.stem}.html" for one in CHAPTERS]
    assert all(len(card.img["alt"].split()) > 5 and "min to read" in card.get_text() for card in cards)


def test_pages_have_a_next_and_a_previous_one(pages):
    page = pages["chapters/12_what_came_next.html"]
    links = {link["rel"][0]: link["href"] for link in page.find_all("link", rel=["next", "prev"])}
    assert links == {"next": "../results.html", "prev": "04_dcgan.html"}


def test_the_results_are_those_of_results_md(pages):
    told = (places.REPOSITORY / "RESULTS.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)
    shown = [code.get_text() for code in pages["results.html"].select("td:first-child code")]
    assert shown == names and len(names) > 300


def test_every_term_of_the_glossary_stands_in_its_chapter(taught):
    terms = reading.terms()
    assert len({term["term"].lower() for term in terms}) == len(terms) >= 80
    assert [term["term"] for term in terms if term["term"].lower() not in taught[term["chapter"]]] == []
    assert {term["chapter"] for term in terms} == set(taught)


def test_a_term_has_one_sentence_and_other_names():
    for term in reading.terms():
        assert set(term) <= {"term", "is", "chapter", "also"}
        assert term["is"][0].isupper() and term["is"].endswith(".") and ". " not in term["is"], term["term"]
        assert term["term"] not in term["also"]


def test_terms_link_to_the_chapter_that_teaches_them(site, pages):
    page = pages["glossary.html"]
    entries = page.select("dl.glossary dd")
    assert len(entries) == len(reading.terms())
    known = {chapter.number: f"chapters/{chapter.notebook.stem}.html" for chapter in CHAPTERS}
    linked = {link["href"] for link in page.select("dl.glossary a[href*='chapters/']")}
    assert linked == set(known.values())
    assert page.find(id="term-batch-normalization")


def test_further_reading_is_what_chapters_name(pages, taught):
    texts = [text for subject in reading.subjects() for text in subject["texts"]]
    addresses = [text["link"] for text in texts]
    assert len(addresses) == len(set(addresses)) > 80
    assert [
        address for address in addresses if not any(address.lower() in text for text in taught.values())
    ] == []
    shown = {link["href"] for link in pages["further.html"].select("article a.external")}
    assert set(addresses) <= shown
    assert all(text["why"][-1] in ".?" for text in texts)


def test_there_is_an_index_to_search(site):
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)", text, re.DOTALL).group(1))
    assert "chapters/04_dcgan" in found["docnames"] and "glossary" in found["docnames"]
    assert "convolut" in found["terms"]


# In a browser


@pytest.fixture(params=["light", "dark"])
def tab(request, browser):
    """A page as wide as a phone that notes what it complains of and what it asks of other hosts."""
    context = browser.new_context(color_scheme=request.param, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:")) else page.complaints.append(asked.url),
    )
    yield page
    assert page.complaints == []
    context.close()


NAMES = (
    "index.html",
    "chapters/04_dcgan.html",
    "results.html",
    "glossary.html",
    "further.html",
    "search.html?q=hinge",
)


def test_pages_fit_a_phone_and_ask_nobody(site, tab):
    for name in NAMES:
        tab.goto(f"{site.as_uri()}/{name}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_pages_have_no_barriers(site, tab):
    """As axe finds them; contrast included."""
    axe = (packages.folder("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    for name in ("index.html", "chapters/04_dcgan.html", "search.html?q=hinge"):  # a kind each; it takes seconds
        tab.goto(f"{site.as_uri()}/{name}")
        tab.evaluate(axe)
        found = tab.evaluate(
            "axe.run({preload: false}).then(result => result.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]))"
        )
        assert found == [], name


def test_a_hint_opens_by_the_keyboard(site, tab):
    tab.goto(f"{site.as_uri()}/chapters/04_dcgan.html")
    first = tab.locator("details.hint").first
    first.locator("> summary").focus()
    tab.keyboard.press("Enter")
    assert first.evaluate("hint => hint.open")
    assert first.locator("> p").first.is_visible() and not first.locator("details > p").first.is_visible()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    assert first.locator("details > p").first.is_visible()


def test_search_finds_what_a_chapter_teaches(site, tab):
    tab.goto(f"{site.as_uri()}/search.html?q=hinge")
    tab.wait_for_selector("#search-results li a")
    assert "Glossary" in tab.locator("#search-results").inner_text()
