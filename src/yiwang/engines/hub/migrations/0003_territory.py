from django.db import migrations, models

# What came before this table was there, so that nobody is asked for what he has delivered.
FILL = """
insert into hub_reported (dataset, org_id, latest_as_of)
select dataset, org_id, max(as_of) from hub_delivery
where state = 'loaded' and (org_id is not null or channel <> 'api') group by 1, 2
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0002_sharing"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="holding",
            name="by_region",
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name="Reported",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dataset", models.CharField(max_length=45)),
                ("latest_as_of", models.DateTimeField(null=True)),
                ("correct", models.FloatField(null=True)),
                ("reminded_for", models.DateTimeField(null=True)),
                (
                    "org",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "org"), name="hub_reported_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
