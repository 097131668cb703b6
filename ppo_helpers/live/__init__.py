"""Interactive figures: alive in JupyterLab, VS Code and Colab, and on the published page without a kernel."""

from ppo_helpers.live.advantage_path import AdvantagePath
from ppo_helpers.live.base import LiveFigure, glue
from ppo_helpers.live.grid_editor import GridEditor
from ppo_helpers.live.policy_playground import PolicyPlayground
from ppo_helpers.live.value_maps import ValueMaps

__all__ = ["AdvantagePath", "GridEditor", "LiveFigure", "PolicyPlayground", "ValueMaps", "glue"]
