from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("value", models.TextField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("stream", models.UUIDField(primary_key=True, serialize=False)),
                ("epoch", models.UUIDField()),
                ("sequence", models.PositiveBigIntegerField()),
                ("is_account", models.BooleanField()),
            ],
        ),
    ]
