"""What keeps the repository in order: workflows, commands, licence and citation agree with each other."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINS = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
WORKFLOWS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
PUBLISHED = {"pages": "write", "id-token": "write"}

every_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def load(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def events(workflow):
    return workflow[True]  # YAML 1.1 takes the key `on` for a truth value


# ---- workflows


@every_workflow
def test_a_workflow_may_only_read_and_ends(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert job.get("permissions", PUBLISHED) == PUBLISHED


def test_every_pull_request_is_tested_with_every_python():
    assert {"push", "pull_request"} == set(events(WORKFLOWS["test.yml"]))
    named = WORKFLOWS["test.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert named == ["3.11", "3.12", "3.13"]
    assert {"pull_request", "schedule"} <= set(events(WORKFLOWS["colab.yml"]))


def test_only_pages_that_passed_on_main_are_published():
    jobs = WORKFLOWS["test.yml"]["jobs"]
    publishing = [
        (name, job_name)
        for name, workflow in WORKFLOWS.items()
        for job_name, job in workflow["jobs"].items()
        if any("deploy-pages" in step.get("uses", "") for step in job["steps"])
    ]
    assert publishing == [("test.yml", "publish")]
    assert jobs["publish"]["needs"] == "test"
    assert "refs/heads/main" in jobs["publish"]["if"] and "'push'" in jobs["publish"]["if"]
    steps = [step.get("run") or step["uses"].split("@")[0] for step in jobs["test"]["steps"]]
    assert steps[-1] == "actions/upload-pages-artifact"
    assert steps.index("make test") < steps.index("actions/upload-pages-artifact")


def test_a_failed_run_leaves_its_reports():
    kept = [s for s in WORKFLOWS["test.yml"]["jobs"]["test"]["steps"] if "upload-artifact" in s.get("uses", "")]
    assert kept[0]["if"] == "failure()"
    assert {"_build/html/reports", "_build/screens"} == set(kept[0]["with"]["path"].split())


# ---- the model


@pytest.mark.parametrize("name", sorted(set(WORKFLOWS) - {"gpt2.yml"}))
def test_workflows_take_the_small_model(name):
    assert WORKFLOWS[name]["env"]["PPO_BOOK_GPT2"] == "tiny"


def test_one_workflow_takes_the_real_model_or_fails():
    workflow = WORKFLOWS["gpt2.yml"]
    assert "schedule" in events(workflow)
    assert "PPO_BOOK_GPT2" not in str(workflow)
    runs = [step["run"] for step in workflow["jobs"]["chapters"]["steps"] if "run" in step]
    assert "load_gpt2('openai-community/gpt2')" in runs[-2]
    assert "chapters/08_*.ipynb chapters/09_*.ipynb" in runs[-1]


@pytest.mark.parametrize(("given", "taken"), [({}, "tiny"), ({"PPO_BOOK_GPT2": "mine"}, "mine")])
@pytest.mark.parametrize("target", ["book", "test", "check", "bench", "lab"])
def test_make_takes_the_small_model_unless_told(target, given, taken, tmp_path):
    line = next(line for line in MAKEFILE.splitlines() if "PPO_BOOK_GPT2" in line and not line.startswith("#"))
    targets = "book test check bench lab mutants:\n\t@echo $$PPO_BOOK_GPT2\n"
    (tmp_path / "Makefile").write_text(f"{line}\n{targets}", "utf-8")
    done = subprocess.run(["make", target], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", **given}, capture_output=True)
    assert done.stdout.decode().strip() == ("" if target == "lab" and not given else taken)


def test_ci_takes_the_small_model():
    assert re.search(r"^export PPO_BOOK_GPT2=tiny\b", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)


# ---- commands


def test_every_command_is_documented_and_every_documented_command_exists():
    targets = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())
    documented = set(re.findall(r"(?:`|^)make (?:[A-Z]+=\S+ )?([a-z]+)", README, re.MULTILINE))
    assert documented == targets
    assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in targets)


def test_commands_stay_thin():
    recipes = re.findall(r"^[^\t\n#]+:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipes and max(recipe.count("\n") for recipe in recipes) <= 4


def test_commands_in_the_texts_exist():
    targets = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())
    for name in ("CONTRIBUTING.md", "intro.md", "_config.yml"):
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        assert named <= targets


def test_marks_are_registered_and_check_leaves_them_out():
    marks = {mark.split(":")[0] for mark in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert marks == {"slow", "browser"}
    assert '-m "not slow and not browser" tests' in MAKEFILE


# ---- licence, versions, citation


def test_the_licence_has_the_form_that_setuptools_keeps():
    assert PROJECT["project"]["license"] == "MIT"
    found = {path.name for pattern in PROJECT["project"]["license-files"] for path in ROOT.glob(pattern)}
    assert found == {"LICENSE", "LICENSE-TEXT.md"}
    assert PROJECT["build-system"]["requires"] == ["setuptools>=77"]


def test_the_citation_is_complete():
    citation = load("CITATION.cff")
    assert {"cff-version", "message", "title", "authors", "repository-code", "license"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["authors"][0]["name"]
    assert (citation["title"], citation["authors"][0]["name"]) == tuple(
        load("_config.yml")[k] for k in ("title", "author")
    )


def test_versions_agree_and_changes_have_a_place():
    headings = re.findall(r"^## \[(\S+)\]", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == PROJECT["project"]["version"] == str(load("CITATION.cff")["version"])


# ---- who updates what


def test_hooks_run_the_pinned_tools():
    revisions = {
        repo["repo"].split("/")[-1]: repo["rev"].removeprefix("v") for repo in load(".pre-commit-config.yaml")["repos"]
    }
    assert revisions == {"ruff-pre-commit": PINS["ruff"], "nbstripout": PINS["nbstripout"]}


def test_updates_leave_jupyter_book_and_what_it_pins_alone():
    updates = {update["package-ecosystem"]: update for update in load(".github/dependabot.yml")["updates"]}
    assert set(updates) == {"github-actions", "pip"}
    ignored = {entry["dependency-name"]: entry.get("versions") for entry in updates["pip"]["ignore"]}
    assert ignored.pop("jupyter-book") == [">=2"]
    assert ignored == dict.fromkeys(["sphinx", "sphinx-book-theme", "pydata-sphinx-theme", "myst-nb"])
    assert "/tests/colab" not in updates["pip"]["directories"]


def test_test_files_have_different_names():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
