"""How moments are written in Russian: to the second, since support staff compare them with other systems."""

DATETIME_FORMAT = "d.m.Y H:i:s"
SHORT_DATETIME_FORMAT = "d.m.Y H:i"
DATE_FORMAT = "d.m.Y"
