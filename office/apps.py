from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "office"
    verbose_name = _("Back office")


class SiteConfig(AdminConfig):
    """Django's admin, with our own site in place of its own."""

    default_site = "office.site.OfficeSite"
    default = False

    def ready(self) -> None:
        super().ready()
        from office import pages  # noqa: F401, registers every page
