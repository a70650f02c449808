"""The pages to play, in a real browser, from files: quiet, exact, accessible, and they do what they say."""

import base64

import numpy as np
import pytest

from gancourse import gradients, losses, models, places
from gancourse.attacks import FGSM, PGD, LinfBall
from gancourse.authoring import packages, play
from gancourse.evaluation import judges

PAGES = ("index", "game", "fool", "latent")
AXE = packages.folder("axe-core") / "axe.min.js"
LARGEST = 6_000_000  # bytes of a page with all that it loads


@pytest.fixture(scope="module")
def folder(node_modules, tmp_path_factory):
    path = tmp_path_factory.mktemp("site")
    play.copy_play(path)
    return path / "play"


@pytest.fixture
def opened(browser, folder):
    """A function that opens a page by its name, ready to play; whatever it complains about fails the test."""
    wrong, contexts = [], []

    def open_page(name, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.loaded = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: page.loaded.append(request.url))
        page.goto((folder / f"{name.split('#')[0]}.html").as_uri() + "".join(name.partition("#")[1:]))
        page.wait_for_selector("body[data-ready=yes]" if not name.startswith("index") else "main", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def test_without_npm_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "folder", lambda name: tmp_path / name)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(RuntimeError, match=r"npm is not installed\. Install Node\.js"):
        play.copy_play(tmp_path)


def test_halves_and_bytes_are_packed_in_the_order_of_browsers():
    found = play.packed(np.array([[1.0, -2.0]]), "float16")
    assert found == {"shape": [1, 2], "type": "float16", "values": base64.b64encode(b"\x00\x3c\x00\xc0").decode()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_small_asks_nobody_and_links_its_chapters(opened, folder, name):
    page = opened(name)
    assert {url.split(":")[0] for url in page.loaded} <= {"file", "blob", "data"}
    files = [folder / url.rpartition("/play/")[2] for url in page.loaded if url.startswith("file:")]
    size = sum(path.stat().st_size for path in files)
    print(f"{name}: {size / 1e6:.2f} MB")
    assert size < LARGEST
    chapters = page.eval_on_selector_all(
        "a[href^='../chapters/']", "links => links.map(a => a.getAttribute('href'))"
    )
    assert chapters
    for link in chapters:
        assert (places.REPOSITORY / "notebooks" / f"{link.split('/')[-1].removesuffix('.html')}.ipynb").exists()
    if name != "index":
        text = page.inner_text(".look p")
        assert text.count(". ") + text.endswith(".") == 3


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_a_phone_is_wide_enough(opened, name):
    page = opened(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.add_script_tag(path=str(AXE))
    for look in ("light", "dark"):
        page.emulate_media(color_scheme=look)
        found = page.evaluate("async () => (await axe.run({preload: false})).violations")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


# The game

KINDS = {
    "min_max": losses.MinMax,
    "non_saturating": losses.NonSaturating,
    "least_squares": losses.LeastSquares,
    "hinge": losses.Hinge,
    "wasserstein_clip": losses.Wasserstein,
    "wasserstein_penalty": losses.WassersteinPenalty,
    "non_saturating_r1": losses.NonSaturatingR1,
    "relativistic_average": losses.RelativisticAverage,
    "relativistic_paired": losses.RelativisticPaired,
    "relativistic_paired_r1_r2": losses.RelativisticPairedR1R2,
}
GAMMA, BATCH = 0.7, 64


def twin(network, seed):
    """The Keras model of a network of the page, with weights of its own."""
    import keras
    from keras import layers, ops

    points = keras.Input((2,))
    lengths = 2.0 ** np.arange(network["octaves"])
    waves = [wave(points * np.pi / 2 * length) for length in lengths for wave in (ops.sin, ops.cos)]
    hidden = layers.Concatenate()([points, *waves]) if waves else points
    for width in network["sizes"][1:-1]:
        hidden = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(width)(hidden))
    model = keras.Model(points, layers.Dense(network["sizes"][-1])(hidden))
    random = np.random.default_rng(seed)
    model.set_weights([0.2 * random.standard_normal(weight.shape) for weight in model.get_weights()])
    return model


def flat(arrays):
    return [np.asarray(array).ravel().tolist() for array in arrays]


def vectors(networks):
    """What both sides compute with: weights, a batch; and what Python finds for each game."""
    import keras

    generator, discriminator = twin(networks[0], 1), twin(networks[1], 2)
    random = np.random.default_rng(3)
    real, latents = (random.standard_normal((BATCH, 2)).astype("float32") for _ in range(2))
    fake = keras.ops.convert_to_numpy(generator(latents))
    given = {"generator": flat(generator.get_weights()), "discriminator": flat(discriminator.get_weights())}
    given |= {name: values.tolist() for name, values in {"real": real, "fake": fake, "latents": latents}.items()}
    given["between"] = keras.ops.convert_to_numpy(
        keras.random.uniform((BATCH, 1), seed=keras.random.SeedGenerator(0))
    ).tolist()
    given["gamma"], expected = GAMMA, {}
    for name, kind in KINDS.items():
        options = {"gamma": GAMMA} if issubclass(kind, losses.Penalized) else {}
        gan = kind(generator, discriminator, 2, seed=0, **options)
        expected[name] = [
            gradients.value_and_gradients(
                lambda gan=gan: gan.discriminator_loss(real, fake), discriminator.trainable_variables
            ),
            gradients.value_and_gradients(
                lambda gan=gan: gan.generator_loss(real, gan.generator(latents)), generator.trainable_variables
            ),
        ]
    return given, expected


PLAYED = """given => {
  const [real, fake, latents, between] = ["real", "fake", "latents", "between"].map((name) => tf.tensor2d(given[name]));
  const tensors = Play.tensorsOf(Play.DISCRIMINATOR, given.discriminator);
  const D = (points) => Play.forward(Play.DISCRIMINATOR, tensors, points);
  return Object.fromEntries(Object.entries(Play.GAMES).map(([name, game]) => [name, [
    Play.discriminatorGradients(game, Play.DISCRIMINATOR, given.discriminator, {real, fake, between}, given.gamma),
    Play.generatorGradients(game, Play.GENERATOR, given.generator, D, real, latents),
  ].map(({loss, gradients}) => [loss, gradients.map((g) => Array.from(g))])]));
}"""


def test_losses_and_gradients_of_the_ten_games_are_pythons(opened):
    page = opened("game")
    given, expected = vectors(page.evaluate("[Play.GENERATOR, Play.DISCRIMINATOR]"))
    found = page.evaluate(PLAYED, given)
    assert set(found) == set(expected) == set(KINDS)
    differences = {}
    for name, players in expected.items():
        differences[name] = 0.0
        for (loss, by_weight), (played_loss, played) in zip(players, found[name], strict=True):
            pairs = [(loss, played_loss), *zip(by_weight, played, strict=True)]
            differences[name] = max(
                differences[name],
                *(np.abs(np.ravel(np.asarray(one)) - np.ravel(other)).max() for one, other in pairs),
            )
    print({name: f"{value:.1e}" for name, value in differences.items()})
    assert max(differences.values()) < 1e-5


def test_adam_is_keras_s(opened):
    import keras

    steps = np.random.default_rng(0).standard_normal((5, 7)).astype("float32")
    variable = keras.Variable(np.zeros(7, "float32"))
    adam = keras.optimizers.Adam(0.01, beta_1=0.5)  # the rest as Keras has it
    for step in steps:
        adam.apply([keras.ops.convert_to_tensor(step)], [variable])
    script = """steps => { const w = [new Float32Array(7)], adam = new Play.Adam(w, 0.5);
        for (const step of steps) adam.apply(w, [Float32Array.from(step)], 0.01); return Array.from(w[0]); }"""
    found = opened("game").evaluate(script, steps.tolist())
    assert found == pytest.approx(keras.ops.convert_to_numpy(variable), abs=1e-6)


TRAINED = """([index, steps]) => {
  const settings = { ...Play.DEFAULTS, ...Play.experiments[index].settings };
  const training = new Play.Training(settings, Play.TARGETS[settings.target]);
  for (let i = 0; i < steps; i++) training.advance();
  const samples = training.samples(Play.experiments[index].average ? undefined : training.generator);
  return { ...Play.judge(samples, training.target), tensors: tf.memory().numTensors };
}"""


def processor_clock(page):
    """A function: the seconds that the page's thread has computed; what others do on the machine does not count."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in metrics}["ThreadTime"]

    return seconds


def trained(page, title, steps):
    """What an experiment of the page has come to after some steps, with the generator that it shows."""
    titles = page.evaluate("Play.experiments.map((one) => one.title)")
    clock = processor_clock(page)
    begin = clock()
    found = page.evaluate(TRAINED, [titles.index(title), steps])
    rate = steps / (clock() - begin)
    words = f"{found['modes']} modes, {found['quality']:.0%} good points after {steps} steps"
    print(f"{title}: {words}, {rate:.0f} steps a second of one core")
    return found


def test_prepared_settings_find_all_modes_of_the_ring(opened):
    found = trained(opened("game"), "Find all eight", 300)
    assert found["modes"] == 8 and found["quality"] > 0.5
    assert found["tensors"] < 50  # nothing is left behind


def test_prepared_settings_collapse_and_r1_repairs_them(opened):
    page = opened("game")
    assert trained(page, "Make it collapse", 300)["modes"] <= 4
    repaired = trained(page, "Repair it with R1", 300)
    assert repaired["modes"] == 8 and repaired["quality"] > 0.3


def test_playing_stepping_and_restarting(opened):
    page = opened("game")
    page.click("#step")
    assert page.inner_text("#steps") == "1"
    page.keyboard.press("s")
    assert page.inner_text("#steps") == "2" and "After 2 steps" in page.inner_text("#said")
    page.keyboard.press("r")
    assert page.inner_text("#steps") == "0"
    page.click("#experiments button >> nth=1")
    page.wait_for_function("Play.page.training.step > 3")
    page.click("#play")
    reached = page.evaluate("Play.page.training.step")
    page.wait_for_timeout(100)
    assert page.evaluate("Play.page.training.step") == reached and not page.evaluate("Play.page.playing")
    assert page.get_attribute("#experiments button >> nth=1", "aria-pressed") == "true"


def test_an_address_holds_the_settings_and_gives_the_same_run_again(opened):
    first, weight = opened("game"), "Array.from(Play.page.training.generator[0]).slice(0, 5)"
    first.select_option("#target", "star")
    first.select_option("#game", "hinge")
    assert first.is_disabled("#gamma") and "max(0, 1 + D(G(z)))" in first.inner_text("#formula")
    for name, value in {"moves": "2", "generator_rate": "-2", "noise": "0.1", "beta_1": "0.5"}.items():
        first.fill(f"#{name}", value)
    first.fill("#seed", "7")
    first.press("#seed", "Tab")
    settings = first.evaluate("Play.page.settings")
    assert settings["moves"] == 2 and settings["generator_rate"] == 0.01 and settings["seed"] == 7
    assert first.evaluate("Play.page.training.settings.noise") == 0.1
    assert first.evaluate("Play.page.training.generatorAdam.beta1") == 0.5
    second = opened(f"game#{first.url.partition('#')[2]}")
    assert second.evaluate("Play.page.settings") == settings
    for page in (first, second):
        for _ in range(3):
            page.click("#step")
    assert first.evaluate(weight) == second.evaluate(weight)


def test_an_address_with_nonsense_is_as_good_as_none(opened):
    page = opened("game#target=__proto__&game=toString&seed=-1&moves=99&generator_rate=nan&drawing=%3Cscript%3E")
    settings = page.evaluate("Play.page.settings")
    assert settings["target"] == "ring" and settings["moves"] == 5 and settings["seed"] == 0
    assert settings == page.evaluate("Play.readAddress('#moves=5')") | {"drawing": settings["drawing"]}


def test_a_target_can_be_drawn_and_typed(opened):
    page = opened("game")
    page.select_option("#target", "drawing")
    assert page.evaluate("Play.page.training.target.centres.length") == 14
    page.click("#clear")
    assert "Draw at least one dot" in page.inner_text("#said")
    page.locator("#plane").scroll_into_view_if_needed()
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=12)
    page.mouse.up()
    places_drawn = np.array(page.evaluate("Play.page.training.target.centres"))
    assert len(places_drawn) >= 5 and np.abs(places_drawn[:, 1]).max() < 0.2
    page.fill("#drawing", "#./.#")
    page.press("#drawing", "Tab")
    assert page.evaluate("Play.page.training.target.centres") == [[-0.75, 0.75], [0.75, -0.75]]


# Fool a network


def shipped_digits(page):
    packed = base64.b64decode(page.evaluate("Play.data.digits.images"))
    images = np.frombuffer(packed, "uint8").reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1
    return images, np.array(page.evaluate("Play.data.digits.labels"))


def test_the_judge_and_its_gradient_are_pythons(opened):
    import keras

    page, model = opened("fool"), judges.load("mnist").model
    images, labels = shipped_digits(page)
    assert sorted(labels.tolist()) == np.repeat(np.arange(10), play.PICKS).tolist()
    script = """images => tf.tidy(() => Play.judgeLogits(Play.page.weights, tf.tensor4d(images)).arraySync())"""
    difference = np.abs(page.evaluate(script, images.tolist()) - model.predict(images, verbose=0)[1]).max()
    slopes = gradients.input_gradient(
        lambda x: keras.ops.sparse_categorical_crossentropy(labels[:1], model(x)[1], from_logits=True), images[:1]
    )
    script = "([image, label]) => Array.from(Play.lossAndGradient(Play.page.weights, image, label).gradient)"
    found = page.evaluate(script, [images[0].ravel().tolist(), int(labels[0])])
    slope = np.abs(np.ravel(keras.ops.convert_to_numpy(slopes)) - found).max()
    print(f"logits differ by {difference:.1e}, input gradients by {slope:.1e}")
    assert difference < 1e-3 and slope < 1e-3


def test_attacks_are_pythons(opened):
    page, model = opened("fool"), judges.load("mnist").model
    images, labels = shipped_digits(page)
    ball, logits = LinfBall(0.2, bounds=(-1, 1)), _logits(model)
    for attack, steps in ((FGSM(ball), 1), (PGD(ball, steps=5, random_start=False), 5)):
        expected = attack(logits, images[::6], labels[::6])
        script = """([images, labels, steps]) => images.map((image, i) => Array.from(Play.attack(
            Play.page.weights, Float32Array.from(image), labels[i], {epsilon: 0.2, steps})))"""
        found = page.evaluate(script, [images[::6].reshape(5, -1).tolist(), labels[::6].tolist(), steps])
        same = np.isclose(np.reshape(found, expected.shape), expected, atol=1e-5).mean()
        print(f"{steps} steps: {same:.2%} of the pixels are the same")
        assert same > 0.98  # where a slope is 0 but for rounding, its sign is nobody's


def _logits(model):
    import keras

    return keras.Model(model.input, model.output[1])


def draw_a_one(page):
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 0.52 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.48 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()


def test_a_drawn_digit_is_read_and_fooled(opened):
    page = opened("fool")
    page.fill("#epsilon", "0")
    draw_a_one(page)
    page.wait_for_function("document.querySelector('#verdict').textContent.startsWith('Before: 1')")
    assert "It is not fooled" in page.inner_text("#verdict")
    page.fill("#epsilon", "0.6")
    page.wait_for_function("document.querySelector('#verdict').textContent.includes('It is fooled')")
    assert page.inner_text("#epsilon-half") == "0.30" and page.inner_text("#times") == "1.7 times"
    page.select_option("#wanted", "8")
    page.wait_for_function("document.querySelector('#verdict').textContent.includes('After: 8')")
    page.click("#clear")
    assert page.inner_text("#verdict") == "Draw or pick a digit."


def test_noise_of_the_same_size_fools_less_than_an_attack(opened):
    page, fooled = opened("fool"), {}
    page.fill("#epsilon", "0.1")
    for method in ("noise", "fgsm", "pgd"):
        page.check(f"input[value={method}]")
        fooled[method] = 0
        for number in range(0, 10 * play.PICKS, 2 * play.PICKS):
            page.evaluate("document.querySelector('#verdict').textContent = ''")
            page.click(f"#picks button >> nth={number}")
            page.wait_for_function("document.querySelector('#verdict').textContent.startsWith('Before')")
            fooled[method] += "It is fooled" in page.inner_text("#verdict")
    print(f"fooled, of 5: {fooled}")
    assert fooled["noise"] < fooled["pgd"] and fooled["fgsm"] <= fooled["pgd"]


# Latent space


def test_generated_images_are_pythons(opened):
    latents = np.random.default_rng(0).standard_normal((8, 64)).astype("float32")
    expected = models.load(play.GENERATOR).predict(latents, verbose=0)
    script = """latents => { const times = [], images = latents.map((one) => tf.tidy(() => {
        const begin = performance.now();
        const image = Play.generate(Play.page.weights, tf.tensor2d([one])).dataSync();
        times.push(performance.now() - begin);
        return Array.from(image); })); return [images, times]; }"""
    images, times = opened("latent").evaluate(script, latents.tolist())
    difference = np.abs(np.reshape(images, expected.shape) - expected).max()
    print(f"images differ by {difference:.1e}; {np.median(times):.0f} ms each")
    assert difference < 1e-3


INK = """() => { const canvas = document.querySelector('#image');
    const { data } = canvas.getContext('2d').getImageData(0, 0, 28, 28);
    return data.reduce((sum, value, i) => sum + (i % 4 === 0 ? value : 0), 0) / (255 * 784); }"""


def settled(page):
    """What the image is after the next two pictures."""
    page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    return page.evaluate(INK)


def latents_of(page):
    return page.evaluate("Array.from(Play.page.latents)")


def length(page):
    return np.linalg.norm(latents_of(page))


def test_sliders_pad_and_walk_do_what_they_say(opened):
    page = opened("latent")
    plain = settled(page)
    page.fill("#bold", "1")
    bold = settled(page)
    page.fill("#bold", "-1")
    assert settled(page) < plain < bold
    whole = length(page)
    page.fill("#truncation", "0.5")
    assert length(page) == pytest.approx(whole / 2, rel=1e-4)
    page.click("#reset")
    page.click("#pad", position={"x": 20, "y": 20})
    assert float(page.input_value("#first")) < -0.5 < 0.5 < float(page.input_value("#second"))
    page.click("#starts button >> nth=1")
    page.click("#take-a")
    start = latents_of(page)
    page.click("#starts button >> nth=8")
    page.click("#take-b")
    end = latents_of(page)
    for way, expected in (("0", start), ("1", end)):
        page.fill("#way", way)
        assert latents_of(page) == pytest.approx(expected, abs=1e-5)
    page.fill("#way", "0.5")
    middle = length(page)
    assert middle == pytest.approx((np.linalg.norm(start) + np.linalg.norm(end)) / 2, rel=1e-4)
    page.check("input[value=straight]")
    page.fill("#way", "0.5")
    assert length(page) < middle
