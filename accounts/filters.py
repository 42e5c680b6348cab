import django_filters

from accounts.models import Account, User
from api.filters import TextFilter, UUIDFilter


class UserFilter(django_filters.FilterSet):
    external_id = TextFilter()
    name = TextFilter()

    class Meta:
        model = User
        fields = ()


class AccountFilter(django_filters.FilterSet):
    user = UUIDFilter(field_name="user_id")
    currency = TextFilter()
    status = django_filters.ChoiceFilter(choices=Account.Status.choices)
    name = TextFilter()

    class Meta:
        model = Account
        fields = ()
