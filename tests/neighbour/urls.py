from django.urls import path

from tests.neighbour.views import buy_view

urlpatterns = [path("buy/<uuid:order>", buy_view)]
