"""Interactive figures: alive in JupyterLab, VS Code and Colab, and on the published page without a kernel."""

from ppo_helpers.live.base import LiveFigure
from ppo_helpers.live.figures.advantage_path import AdvantagePath
from ppo_helpers.live.figures.before_after import BeforeAfter
from ppo_helpers.live.figures.cart_pole import CartPole
from ppo_helpers.live.figures.clip_explorer import ClipExplorer
from ppo_helpers.live.figures.five_samples import FiveSamples
from ppo_helpers.live.figures.grid_editor import GridEditor
from ppo_helpers.live.figures.one_batch import OneBatch
from ppo_helpers.live.figures.policy_playground import PolicyPlayground
from ppo_helpers.live.figures.ppo_lab import PPOLab
from ppo_helpers.live.figures.ratio_board import RatioBoard
from ppo_helpers.live.figures.ratio_explorer import RatioExplorer
from ppo_helpers.live.figures.rlhf_replay import RLHFReplay
from ppo_helpers.live.figures.same_game import SameGame
from ppo_helpers.live.figures.sentence_writer import SentenceWriter
from ppo_helpers.live.figures.spot_the_bug import SpotTheBug
from ppo_helpers.live.figures.token_advantages import TokenAdvantages
from ppo_helpers.live.figures.token_explorer import TokenExplorer
from ppo_helpers.live.figures.value_maps import ValueMaps

__all__ = [
    "AdvantagePath",
    "BeforeAfter",
    "CartPole",
    "ClipExplorer",
    "FiveSamples",
    "GridEditor",
    "LiveFigure",
    "OneBatch",
    "PPOLab",
    "PolicyPlayground",
    "RLHFReplay",
    "RatioBoard",
    "RatioExplorer",
    "SameGame",
    "SentenceWriter",
    "SpotTheBug",
    "TokenAdvantages",
    "TokenExplorer",
    "ValueMaps",
]
