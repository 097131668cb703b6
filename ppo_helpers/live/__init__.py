"""Interactive figures: alive in JupyterLab, VS Code and Colab, and on the published page without a kernel."""

from ppo_helpers.live.advantage_path import AdvantagePath
from ppo_helpers.live.base import LiveFigure, glue
from ppo_helpers.live.clip_explorer import ClipExplorer
from ppo_helpers.live.grid_editor import GridEditor
from ppo_helpers.live.policy_playground import PolicyPlayground
from ppo_helpers.live.ratio_board import RatioBoard
from ppo_helpers.live.ratio_explorer import RatioExplorer
from ppo_helpers.live.token_explorer import TokenExplorer
from ppo_helpers.live.training_replay import TrainingReplay
from ppo_helpers.live.value_maps import ValueMaps

__all__ = [
    "AdvantagePath",
    "ClipExplorer",
    "GridEditor",
    "LiveFigure",
    "PolicyPlayground",
    "RatioBoard",
    "RatioExplorer",
    "TokenExplorer",
    "TrainingReplay",
    "ValueMaps",
    "glue",
]
