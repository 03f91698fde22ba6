from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0003_territory")]

    operations = [
        migrations.CreateModel(
            name="SharingLimits",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dataset", models.CharField(max_length=45)),
                ("release", models.CharField(max_length=64)),
                ("rows", models.JSONField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("release", "dataset"), name="hub_limits_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="sharinguse", name="gone", field=models.IntegerField(default=0, db_default=0)
        ),
    ]
