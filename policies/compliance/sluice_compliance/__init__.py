"""The compliance pack: rules that keep a rollout reversible. Knows Pulumi's property names and none of Sluice's code."""
