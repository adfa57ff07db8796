"""The APIs of other libraries on the layers below: their names and behavior, without their parsers."""
