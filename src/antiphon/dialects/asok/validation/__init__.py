"""Validation by Asok's rules."""

from antiphon.dialects.asok.validation.schema import Schema, SchemaMeta
from antiphon.dialects.asok.validation.validator import Validator, register_rule

__all__ = ["Schema", "SchemaMeta", "Validator", "register_rule"]
