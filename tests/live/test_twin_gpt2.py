"""The bundled model in JavaScript: its tokenizer, its forward pass and its dice against Python's."""

import json
import random

import numpy as np
import pytest
import torch
from live_checks import javascript

from ppo_helpers.language import load_gpt2, sample, token_logprobs, token_text
from ppo_helpers.live import page_model
from ppo_helpers.live.tokens import KEPT, TEMPERATURES, kept_row

# what browsers have and a bare engine has not
BROWSER = """
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...LETTERS].map((letter, i) => [letter, i]));
globalThis.atob = (text) => {
  const out = [];
  let [bits, count] = [0, 0];
  for (const letter of text.replace(/=+$/, "")) {
    bits = ((bits << 6) | VALUES.get(letter)) & 0xffffff;
    count += 6;
    if (count >= 8) out.push(String.fromCharCode((bits >> (count -= 8)) & 255));
  }
  return out.join("");
};
const byte = (letter) => letter.charCodeAt(0);
globalThis.TextEncoder = class {
  encode(text) { return Uint8Array.from(unescape(encodeURIComponent(text)), byte); }
};
globalThis.TextDecoder = class {
  decode(bytes) { return decodeURIComponent(escape(String.fromCharCode(...bytes))); }
};
globalThis.livePage = { take: (name, value) => { globalThis.file = value; } };
"""  # fmt: skip
PROMPTS = ["The food at the restaurant was", "The movie I watched last night was", "Customer support", "Hello 🦖"]


def woken():
    """An engine in which the model has been woken."""
    racer = javascript("twins/bpe.js", "twins/gpt2.js", "twins/next_token.js", "parts/unpacked.js")
    racer.eval(BROWSER)
    racer.eval(page_model.script())
    racer.eval("""
      globalThis.arrays = unpacked(file);
      globalThis.model = languageModel(file.shape, arrays);
      globalThis.words = tokenizer(arrays.merges);
      globalThis.next = nextToken(arrays.rows, (token) => readable(words.bytes(token)));
      const read = (memory, id) => model.read(memory, arrays.rows[id]);
      globalThis.scoresOf = (ids, memory = model.memory()) => ids.map((id) => read(memory, id)).at(-1);
      0""")
    return racer


@pytest.fixture(scope="module")
def engine():
    return woken()


@pytest.fixture(scope="module")
def bundled():
    return load_gpt2("tiny")


def asked(engine, call):
    return json.loads(engine.eval(f"JSON.stringify({call})"))


# ---- what travels ----


def test_the_weights_travel_whole(engine, bundled):
    model, _ = bundled
    names = page_model.weights()
    own = {name.removeprefix("transformer."): p.detach().numpy() for name, p in model.named_parameters()}
    assert set(names) - {"rows"} == set(own)
    rows = names["rows"]
    assert len(np.unique(rows)) == len(names["wte.weight"]) == 2866 and len(rows) == 50257
    np.testing.assert_array_equal(names["wte.weight"][rows].astype(np.float32), own["wte.weight"])
    for name in ("h.2.attn.c_proj.weight", "h.0.mlp.c_fc.weight"):
        np.testing.assert_array_equal(asked(engine, f"[...arrays['{name}']]"), own[name].T.ravel())


@pytest.mark.parametrize("bits", [0, 1, 0x3FF, 0x400, 0x3C00, 0x3555, 0x7BFF, 0x7C00, 0xFC00, 0x8000, 0xC000, 0xB266])
def test_sixteen_bits_are_the_number_that_numpy_reads(engine, bits):
    found = float(engine.eval(f"String(halfPrecision({bits}))").replace("Infinity", "inf"))
    assert found == float(np.array(bits, np.uint16).view(np.float16))


def test_what_cannot_travel_is_named():
    for bad, got in ((np.zeros(3, np.float32), "12 of float32"), (np.zeros(3, np.uint8), "3 of uint8")):
        with pytest.raises(ValueError, match=f"x must be float16, uint16, uint8 of even length, got {got}"):
            page_model.pack({"x": bad})


def test_another_order_of_tokens_is_named(tmp_path):
    vocabulary = {letter: i for i, letter in enumerate("ab")} | {"ab": 2}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary, "merges": ["a b"]}}), "utf-8")
    with pytest.raises(ValueError, match="in the order of their merges"):
        page_model.merges(tmp_path)


# ---- the tokenizer ----

ALPHABETS = [
    [chr(c) for c in range(0x20, 0x7F)],
    list("abcdefghij      \n\t'"),
    list("'s't're've'm'll'd  '"),
    [chr(c) for c in range(0xA0, 0x250)],
    [chr(c) for c in (*range(0x5D0, 0x5EB), *range(0x627, 0x64B), 0x200F, 0x202E, 0x20)],
    [chr(c) for c in (*range(0x4E00, 0x4E80), 0x3000, 0x3002)],
    [chr(c) for c in (*range(0x1F600, 0x1F64F), 0x200D, 0xFE0F, 0x1F996)],
    [chr(c) for c in (9, 10, 11, 12, 13, 0x1C, 0x1F, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x202F, 0x3000, 0xFEFF, 0x61)],
    [chr(c) for c in (0x30, 0x660, 0x966, 0xB2, 0xBD, 0x2160, 0x2460, 0x3007, 0x1D7D8)],
]


def any_text(rng):
    """Letters of one script or of all of them, and now and then a code point from anywhere."""
    letters = rng.choice(ALPHABETS) if rng.random() < 0.7 else [x for some in ALPHABETS for x in some]
    text = [rng.choice(letters) for _ in range(rng.randint(0, 24))]
    if rng.random() < 0.3:
        anywhere = rng.choice([rng.randint(0, 0xD7FF), rng.randint(0xE000, 0xFFFF), rng.randint(0x10000, 0x10FFFF)])
        text.insert(rng.randint(0, len(text)), chr(anywhere))
    if rng.random() < 0.02:
        text.insert(rng.randint(0, len(text)), "<|endoftext|>")
    return "".join(text)


@pytest.mark.slow
def test_ten_thousand_texts_have_the_tokens_that_python_gives_them(engine, bundled):
    rng = random.Random(0)
    texts = [any_text(rng) for _ in range(10_000)]
    found = asked(engine, f"{json.dumps(texts)}.map(words.encode)")
    expected = bundled[1](texts)["input_ids"]
    different = [(text, a, b) for text, a, b in zip(texts, found, expected, strict=True) if a != b]
    assert not different, f"{len(different)} differ, such as {different[:3]}"


def test_a_long_word_and_a_long_text_have_them_too(engine, bundled):
    for text in ("a" * 3000, "the " * 2500, "🦖" * 500, "x" * 37 + " " * 2000 + "y"):
        assert asked(engine, f"words.encode({json.dumps(text)})") == bundled[1](text)["input_ids"]


def test_a_token_reads_as_python_writes_it(engine, bundled):
    tokens = [*range(0, 256), *random.Random(1).sample(range(256, 50257), 3000), 50256, 21253]
    found = asked(engine, f"{tokens}.map((token) => readable(words.bytes(token)))")
    assert found == [token_text(bundled[1], token) for token in tokens]


# ---- the forward pass ----


@pytest.mark.slow
def test_log_probs_are_those_of_python(engine, bundled):
    model, tokenizer = bundled
    texts = sample(model, tokenizer, PROMPTS * 3, 24, generator=torch.Generator().manual_seed(0))
    logprobs = token_logprobs(model, texts.sequences, texts.prompt_length, texts.attention_mask)
    for i in range(len(PROMPTS) * 3):
        ids = texts.sequences[i][texts.attention_mask[i].bool()].tolist()
        written = texts.mask[i].nonzero()[:, 0].tolist()
        begin = len(ids) - len(written)
        engine.eval(
            f"globalThis.memory = model.memory(); scoresOf({ids[: begin - 1]}, memory); 0"
        ) if begin > 1 else None
        for t in written:
            scores = np.array(asked(engine, f"[...model.read(memory, arrays.rows[{ids[begin - 1 + t]}])]"))
            counts = np.bincount(page_model.weights()["rows"])
            total = np.log((counts * np.exp(scores - scores.max())).sum()) + scores.max()
            found = scores[page_model.weights()["rows"][ids[begin + t]]] - total
            assert found == pytest.approx(logprobs[i, t].item(), abs=1e-3)


def test_what_is_forgotten_was_never_read(engine):
    ids, other = [464, 2057, 379, 262], [7072, 373]
    engine.eval(f"globalThis.memory = model.memory(); scoresOf({[*ids, 11, 11, 11]}, memory); forget(memory, 4); 0")
    again = asked(engine, f"[...scoresOf({other}, memory)]")
    assert again == asked(engine, f"[...scoresOf({[*ids, *other]})]")


# ---- what may come next ----


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_is_kept_of_a_position_is_what_python_keeps(engine, bundled, prompt):
    model, tokenizer = bundled
    ids = tokenizer(prompt)["input_ids"]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1].double().numpy()
    expected = kept_row(logits, None, lambda token: token_text(tokenizer, token))
    found = asked(engine, f"next.keep(scoresOf({ids}))")
    assert found["ids"] == expected["ids"] and found["pieces"] == expected["pieces"]
    np.testing.assert_allclose(found["logits"], expected["logits"], atol=1e-3)
    np.testing.assert_allclose(found["others"], expected["others"], atol=1e-2)  # at τ = 0.1 scores count ten times
    assert found["real"] is found["score"] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("temperature", "top_k"), [(1.0, KEPT + 1), (1.7, KEPT + 1), (0.5, KEPT + 1), (1.0, 3), (1.5, 1)]
)
def test_dice_fall_as_often_as_the_softmax_says(engine, temperature, top_k):
    """χ² over tokens expected five times or more, the others together: below what 1 of 1,000 true dice exceeds."""
    from scipy.stats import chi2

    draws, ids = 8_000 if top_k > KEPT else 4_000, [464, 2057, 379, 262, 7072, 373]
    random_numbers = "let s = 12345; const random = () => { s = (s * 48271) % 2147483647; return s / 2147483647; };"
    drawn = json.loads(engine.eval(f"""(() => {{ {random_numbers}
        const scores = scoresOf({ids});
        const draw = () => next.draw(scores, {temperature}, {top_k}, random);
        return JSON.stringify(Array.from({{ length: {draws} }}, draw));
    }})()"""))  # fmt: skip
    rows = page_model.weights()["rows"]
    scores = np.array(asked(engine, f"[...scoresOf({ids})]"))[rows] / temperature
    if top_k <= KEPT:
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    probs = np.exp(scores - scores.max())
    probs /= probs.sum()
    often = draws * probs >= 5
    seen = np.bincount(drawn, minlength=len(probs))
    observed, expected = [*seen[often], seen[~often].sum()], [*draws * probs[often], draws * probs[~often].sum()]
    if expected[-1] < 1e-9:
        assert observed[-1] == 0
        observed, expected = observed[:-1], expected[:-1]
    distance = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    assert distance <= chi2.ppf(0.999, max(len(observed) - 1, 1))


def test_temperatures_are_those_of_the_slider():
    assert TEMPERATURES.tolist() == [i / 10 for i in range(1, 21)]
