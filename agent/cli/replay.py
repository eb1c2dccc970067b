"""``abuse-agent replay``: what would a policy have done?"""
