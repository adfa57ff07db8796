"""The APIs of other libraries on the layers below: their names and behaviour, without their parsers."""
