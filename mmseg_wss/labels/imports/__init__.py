"""What labelling tools export, as one kind of record, and the devkit that is made of it."""
