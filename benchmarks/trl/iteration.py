"""Seconds of a PPO iteration by TRL's trainer: 32 answers of 16 tokens, 4 epochs, on the book's bundled model.

It runs in ``.venv-trl`` and prints one number. Policy, reference, value model and reward model are four networks of the
bundled size, as the trainer wants them.
"""

import copy
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from datasets import Dataset
from transformers import GPT2ForSequenceClassification, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer

sys.path.insert(0, str(Path(__file__).parents[2]))
from ppo_helpers.language import load_gpt2
from ppo_helpers.language.sft import PROMPTS

UNUSED = 50255  # a token that stands in no text: TRL takes the padding token for padding wherever it stands


class Clock(TrainerCallback):
    """Notes when each iteration has ended."""

    def __init__(self):
        self.ends = []

    def on_step_end(self, *args, **options):
        self.ends.append(time.perf_counter())


def judge_of(model):
    """A network of the model's size that gives one number."""
    config = copy.deepcopy(model.config)
    config.num_labels, config.pad_token_id = 1, UNUSED
    network = GPT2ForSequenceClassification(config)
    network.transformer.load_state_dict(model.transformer.state_dict())
    return network


def trainer(iterations: int, folder: str, clock: Clock) -> PPOTrainer:
    model, tokenizer = load_gpt2("tiny")
    tokenizer.pad_token_id, tokenizer.padding_side = UNUSED, "left"
    config = PPOConfig(
        output_dir=folder, per_device_train_batch_size=32, num_ppo_epochs=4, total_episodes=32 * iterations,
        response_length=16, stop_token="eos", temperature=1.0, learning_rate=2e-4, kl_coef=0.1,
        num_sample_generations=0, gradient_checkpointing=False, bf16=False, use_cpu=True,
        report_to=[], save_strategy="no", eval_strategy="no", logging_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    rows = [tokenizer(prompt)["input_ids"] for prompt in PROMPTS] * 8
    data = Dataset.from_dict({"input_ids": rows})
    networks = {"model": model.requires_grad_(True), "ref_model": copy.deepcopy(model)}
    judges = {"reward_model": judge_of(model), "value_model": judge_of(model)}
    return PPOTrainer(config, tokenizer, **networks, **judges, train_dataset=data, callbacks=[clock])


if __name__ == "__main__":
    torch.set_num_threads(1)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer(8, folder, clock).train()
    print(median(b - a for a, b in zip(clock.ends[1:], clock.ends[2:], strict=False)))
