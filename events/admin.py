"""Events and subscriptions."""

from django.contrib import admin

from events.models import Event, Subscription
from office.admin import OfficeAdmin


@admin.register(Event)
class EventAdmin(OfficeAdmin):
    list_display = ("id", "type")


@admin.register(Subscription)
class SubscriptionAdmin(OfficeAdmin):
    list_display = ("id", "status")
