"""企业信用风险分类: a published, additive points table over what departments recorded; pure."""
