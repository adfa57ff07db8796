"""The shop's only table."""

from django.conf import settings
from django.db import models


class Order(models.Model):
    item = models.CharField(max_length=40)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)

    def __str__(self):
        return self.item
