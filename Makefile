# Each target is one line: the work is in ops/. A fresh machine needs Python 3.11 and nothing else.
STACK ?= local
OUT ?= out/$(STACK)
VOLUMES ?= keep
PYTHON ?= python3
OPS = $(PYTHON) -m ops

.PHONY: up chat preview render verify documents secret destroy doctor test live
up: ; @$(OPS) up --stack $(STACK)
chat: ; @$(OPS) chat
preview: ; @$(OPS) preview --stack $(STACK)
render: ; @$(OPS) render --stack $(STACK) --out $(OUT)
verify: ; @$(OPS) verify --stack $(STACK) $(if $(JSON),--json)
documents: ; @$(OPS) documents --stack $(STACK) $(if $(DIR),--dir $(DIR))
secret: ; @$(OPS) secret --stack $(STACK) $(if $(NAME),--name $(NAME))
destroy: ; @$(OPS) destroy --stack $(STACK) --volumes $(VOLUMES)
doctor: ; @$(OPS) doctor --stack $(STACK)
test: ; @$(OPS) test $(if $(ONLY),--only $(ONLY))
live: ; @$(OPS) live --stack $(STACK)
