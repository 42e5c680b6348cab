"""How moments are written in English: with seconds and the zone, since support staff compare them with other
systems.
"""

DATETIME_FORMAT = "j M Y, H:i:s T"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
DATE_FORMAT = "j M Y"
