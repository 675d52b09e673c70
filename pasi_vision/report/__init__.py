"""Records -> one self-contained HTML file and pictures: what the software saw, what follows, what was refused and why."""
