"""Classifiers: Image → ModelInput → Prediction, as a model card declares. The network is in `classifier`."""

from pipeline.classifiers.card import ModelCard, load_card
from pipeline.classifiers.network_card import NetworkCard
from pipeline.classifiers.preprocessing import coarsest_step, prepare
from pipeline.classifiers.recipe import Preprocessing

__all__ = ["ModelCard", "NetworkCard", "Preprocessing", "coarsest_step", "load_card", "prepare"]
