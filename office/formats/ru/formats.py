"""How moments are written in Russian: with seconds and the zone, since support staff compare them with other
systems.
"""

DATETIME_FORMAT = "d.m.Y H:i:s T"
SHORT_DATETIME_FORMAT = "d.m.Y H:i"
DATE_FORMAT = "d.m.Y"
