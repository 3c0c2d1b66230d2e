"""The run itself: methods one after another, each scored, its row recorded."""
