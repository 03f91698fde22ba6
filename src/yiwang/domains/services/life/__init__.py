"""Life events of people and enterprises 全生命周期: stages come from packs, bundles name theirs."""
