"""Other people's formats: annotations (COCO, CVAT, Label Studio, plain masks) to and from the data contract."""
